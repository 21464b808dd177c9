import type { Locator, Page } from "@playwright/test";
import { Shell, Table } from "./shell.ts";

/** A list of rooms: the inventory, and Updates → Rooms. */
export class RoomsPage extends Shell {
  static readonly inventory = "/rooms";
  static readonly ofUpdates = "/updates/rooms";
  readonly table: Table;

  constructor(page: Page) {
    super(page);
    this.table = new Table(page.getByRole("table", { name: "Rooms" }));
  }

  link(name: string): Locator {
    return this.table.rows.getByRole("link", { name, exact: true });
  }
}

export const roomTabs = [
  { name: "Overview", path: "" },
  { name: "Updates", path: "/updates" },
  { name: "Tickets", path: "/tickets" },
  { name: "History", path: "/history" },
] as const;

/** One room. The navigation of its tabs carries the room's name. */
export class RoomPage extends Shell {
  readonly devices: Table;
  readonly updates: Table;
  readonly tickets: Table;

  constructor(
    page: Page,
    readonly name: string,
  ) {
    super(page);
    this.devices = new Table(page.getByRole("table", { name: "Devices and versions" }));
    this.updates = new Table(page.getByRole("table", { name: `Updates for ${name}` }));
    this.tickets = new Table(page.getByRole("table", { name: `Tickets for ${name}` }));
  }

  get ownTabs(): Locator {
    return this.tabs(this.name);
  }

  /** A fact of the line above the tabs. */
  fact(name: string): Locator {
    const title = this.page.locator("dt").filter({ hasText: new RegExp(`^${name}$`) });
    return this.main.locator("dl.strip > div").filter({ has: title }).locator("dd");
  }
}

/** The address of a room, found the way a person finds it. */
export async function addressOfRoom(page: Page, name: string): Promise<string> {
  const rooms = new RoomsPage(page);
  await page.goto(RoomsPage.inventory);
  await rooms.search(name);
  const address = await rooms.link(name).first().getAttribute("href");
  if (address === null) throw new Error(`the link to ${name} has no address`);
  return address;
}
