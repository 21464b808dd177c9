import type { Locator, Page } from "@playwright/test";
import { Shell, Table } from "./shell.ts";

/** Incidents: the list of tickets. */
export class IncidentsPage extends Shell {
  static readonly path = "/incidents";
  readonly table: Table;

  constructor(page: Page) {
    super(page);
    this.table = new Table(page.getByRole("table", { name: /^(Incidents|Tickets)$/ }));
  }

  about(words: string): Locator {
    return this.table.rows.filter({ hasText: words });
  }
}
