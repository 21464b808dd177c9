import type { Locator, Page } from "@playwright/test";
import { Shell, Table } from "./shell.ts";

/** The sign-in page and those behind links: documents without the shell. */
export class SignInPage {
  constructor(readonly page: Page) {}

  static readonly path = "/sign-in";

  async fill(fields: Record<string, string>): Promise<void> {
    for (const [label, value] of Object.entries(fields)) await this.page.getByLabel(label, { exact: true }).fill(value);
  }

  async send(name: string): Promise<void> {
    await this.page.getByRole("button", { name, exact: true }).click();
  }

  get problem(): Locator {
    return this.page.getByRole("alert");
  }
}

export class PeoplePage extends Shell {
  static readonly path = "/settings/people";

  get people(): Table {
    return new Table(this.main.getByRole("table", { name: "People with an account" }));
  }

  get link(): Locator {
    return this.main.locator(".one-time-secret");
  }

  button(name: string): Locator {
    return this.main.getByRole("button", { name, exact: true });
  }
}
