import type { Locator, Page } from "@playwright/test";
import { Shell, Table } from "./shell.ts";

/** Updates → Updates: the list of updates. */
export class UpdatesPage extends Shell {
  static readonly path = "/updates";
  readonly table: Table;

  constructor(page: Page) {
    super(page);
    this.table = new Table(page.getByRole("table", { name: "Updates" }));
  }

  get includePast(): Locator {
    return this.main.getByRole("switch", { name: "Include past updates" });
  }

  link(row: RegExp): Locator {
    return this.table.row(row).getByRole("rowheader").getByRole("link").first();
  }

  /** The picture of an update's way through the rings. */
  track(row: Locator): Locator {
    return row.getByRole("img", { name: /Staging/ });
  }
}

/** One update. */
export class UpdatePage extends Shell {
  readonly rings: Table;
  readonly rooms: Table;

  constructor(page: Page) {
    super(page);
    this.rings = new Table(page.getByRole("table", { name: "Dates and progress of each ring" }));
    this.rooms = new Table(page.getByRole("table", { name: "Rooms of this update" }));
  }
}
