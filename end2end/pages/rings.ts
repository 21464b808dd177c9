import type { Page } from "@playwright/test";
import { Shell, Table } from "./shell.ts";

/** Updates → Rings. */
export class RingsPage extends Shell {
  static readonly path = "/updates/rings";
  readonly table: Table;

  constructor(page: Page) {
    super(page);
    this.table = new Table(page.getByRole("table", { name: "Rings in order" }));
  }

  static readonly heads = {
    rooms: /^(number of )?rooms$/i,
    deferment: /^deferment/i,
    rollout: /^rollout/i,
    test: /^test/i,
    completion: /^completion/i,
  } as const;
}
