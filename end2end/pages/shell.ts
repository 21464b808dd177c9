import { expect, type Locator, type Page } from "@playwright/test";

export const navigation = [
  { name: "Home", path: "/" },
  { name: "Incidents", path: "/incidents" },
  { name: "Rooms", path: "/rooms" },
  { name: "Updates", path: "/updates" },
  { name: "Portfolio", path: "/portfolio" },
  { name: "Audit", path: "/audit" },
  { name: "Settings", path: "/settings" },
] as const;

/** What is on every page. */
export class Shell {
  constructor(readonly page: Page) {}

  get title(): Locator {
    return this.page.getByRole("heading", { level: 1 });
  }

  get main(): Locator {
    return this.page.getByRole("main");
  }

  get mainNavigation(): Locator {
    return this.page.getByRole("navigation", { name: "Main", exact: true });
  }

  tabs(name: string): Locator {
    return this.page.getByRole("navigation", { name, exact: true }).getByRole("link");
  }

  tab(name: string, of: string): Locator {
    return this.page.getByRole("navigation", { name: of, exact: true }).getByRole("link", { name, exact: true });
  }

  /** A filter applies at once; without script it is sent with its form. */
  filter(label: string): Locator {
    return this.main.getByRole("combobox", { name: label, exact: true });
  }

  async search(words: string): Promise<void> {
    const box = this.main.getByRole("searchbox").first();
    await box.fill(words);
    await box.press("Enter");
  }
}

/** One table, read by the words of its column heads. */
export class Table {
  constructor(readonly root: Locator) {}

  get heads(): Locator {
    return this.root.getByRole("columnheader");
  }

  /** Rows that have a cell which names them: not the head. */
  get rows(): Locator {
    return this.root.getByRole("row").filter({ has: this.root.page().getByRole("rowheader") });
  }

  row(name: RegExp | string): Locator {
    return this.rows.filter({ has: this.root.page().getByRole("rowheader", { name }) });
  }

  /** The cell of `row` under the head that matches. */
  async cell(row: Locator, head: RegExp): Promise<string> {
    await expect(this.heads.first()).toBeAttached();
    const heads = await this.root.locator("thead tr").last().locator("th, td").allInnerTexts();
    const column = heads.findIndex((text) => head.test(text.replace(/\s+/g, " ").trim()));
    expect(column, `a column ${head} among ${heads.join(" | ")}`).toBeGreaterThanOrEqual(0);
    return this.cellAt(row, column);
  }

  /** A cell that spans columns counts for each of them. */
  private async cellAt(row: Locator, column: number): Promise<string> {
    return row.evaluate((element, wanted) => {
      let at = 0;
      for (const cell of (element as HTMLTableRowElement).cells) {
        if (wanted < at + cell.colSpan) return cell.innerText.replace(/\s+/g, " ").trim();
        at += cell.colSpan;
      }
      return "";
    }, column);
  }
}
