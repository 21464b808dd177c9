// What the organisation has set, and its freezes (S3, S12, W1, W3, W6).

import { expect, expectAccessible, expectNoSidewaysScrolling, hydrated } from "../fixtures.ts";
import { bothWays, test } from "../own_demo.ts";
import { Shell, Table } from "../pages/shell.ts";

bothWays([/422|409/], (withScript) => {
  test("the settings are changed within their limits, and what is too much is named (W1, S12, G5)", async ({
    page,
    open,
  }) => {
    await open("/settings");
    const shell = new Shell(page);
    await expect(shell.main).toContainText(/Time zone rules in use: 20\d\d[a-z]/);
    await expect(shell.main.getByLabel("Start day")).toHaveValue("Wed");
    await shell.main.getByLabel("Name", { exact: true }).fill("Fathom Lane");
    await shell.main.getByLabel("Opens at").fill("22:00");
    if (withScript) {
      await expectAccessible(page);
      await expectNoSidewaysScrolling(page);
    }
    await shell.main.getByRole("button", { name: "Save" }).click();
    await expect(page.getByText(/would end on the next date; it must end on the same date/).first()).toBeVisible();
    await expect(shell.main.getByLabel("Name", { exact: true }), "nothing typed is lost").toHaveValue("Fathom Lane");
    await shell.main.getByLabel("Opens at").fill("01:00");
    await shell.main.getByLabel("Mode", { exact: true }).selectOption("Automatic");
    const seen = shell.main.locator('input[name="seen"]');
    const before = await seen.inputValue();
    await shell.main.getByRole("button", { name: "Save" }).click();
    await expect(shell.main).toContainText("The settings were changed.");
    // The form is that of what is set now, and not the one that was just sent.
    await expect(seen).not.toHaveValue(before);
    await expect(shell.main.getByLabel("Opens at"), "the form has what is set now").toHaveValue("01:00");
    await shell.main.getByLabel("Unreachable after, windows").fill("3");
    // The words of the first time still stand there: the answer is waited for.
    const saved = page.waitForResponse((response) => response.url().endsWith("/api/settings/edit"));
    await shell.main.getByRole("button", { name: "Save" }).click();
    expect((await saved).status()).toBeLessThan(400);
    await expect(page.getByText("changed by somebody else")).toHaveCount(0);
    await open("/settings");
    await expect(shell.main.getByLabel("Unreachable after, windows")).toHaveValue("3");
    await expect(shell.main.getByLabel("Name", { exact: true })).toHaveValue("Fathom Lane");
    await expect(shell.main.getByLabel("Opens at")).toHaveValue("01:00");
    await expect(shell.main.getByLabel("Mode", { exact: true })).toHaveValue("automatic");
    await open("/rooms?q=Cuttle");
    await shell.main.getByRole("link", { name: "Cuttle", exact: true }).click();
    await expect(shell.main).toContainText(/01:00–06:00 \(Sydney\)/);
  });

  test("everything is frozen for some dates, and the freeze is lifted (W6, K9)", async ({ page, open }) => {
    await open("/settings/freezes");
    const shell = new Shell(page);
    const dialog = page.getByRole("dialog");
    const freezes = new Table(shell.main.getByRole("table", { name: "Freezes" }));
    await shell.main.getByRole("link", { name: "Add a freeze" }).click();
    await dialog.getByLabel("First date").fill("2024-12-20");
    await dialog.getByLabel("Last date").fill("2025-01-31");
    await dialog.getByLabel("Reason").fill("The turn of the year");
    if (withScript) await expectAccessible(page);
    await dialog.getByRole("button", { name: "Freeze", exact: true }).click();
    await expect(page.getByText(/at most 30|30 days/).first()).toBeVisible();
    await expect(dialog.getByLabel("Reason")).toHaveValue("The turn of the year");
    if (withScript) {
      // What is wrong stands beside the field that it is about, and that has the focus (G5).
      await expect(dialog.getByLabel("Last date")).toBeFocused();
      await expect(dialog.getByLabel("Last date")).toHaveAccessibleDescription(/at most 30/);
    }
    await dialog.getByLabel("Last date").fill("2025-01-03");
    if (withScript) {
      await dialog.getByLabel("First date").fill("2024-10-28");
      await dialog.getByLabel("Last date").fill("2024-11-04");
      await dialog.getByLabel("Last date").blur();
      await expect(dialog.locator(".preview"), "K9").toContainText(/5\.2\.115\.0: ends .+ \(London\), now /);
      await dialog.getByLabel("First date").fill("2024-12-20");
      await dialog.getByLabel("Last date").fill("2025-01-03");
    }
    await dialog.getByRole("button", { name: "Freeze", exact: true }).click();
    await expect(shell.main).toContainText("The freeze was added");
    const row = freezes.row(/Everything/);
    await expect(row).toContainText("Fri 20 Dec to Fri 3 Jan 2025");
    await row.getByRole("link", { name: "Lift the freeze of Everything" }).click();
    await dialog.getByLabel("Reason").fill("We stay open");
    if (withScript) await expectAccessible(page);
    await dialog.getByRole("button", { name: "Lift the freeze" }).click();
    await expect(shell.main).toContainText("The freeze was lifted");
    await expect(freezes.row(/Everything/)).toHaveCount(0);
  });
});

test.describe("two admins", () => {
  test.use({ expectedErrors: [/409/] });

  test("the slower of two who change the settings is told (G5)", async ({ page, open, demo, browser }) => {
    await open("/settings");
    const other = await browser.newContext();
    const colleague = await other.newPage();
    await colleague.goto(`${demo.address}/settings`);
    await hydrated(colleague);
    await colleague.getByLabel("Opens at").fill("01:00");
    await colleague.getByRole("button", { name: "Save" }).click();
    await expect(colleague.getByRole("main")).toContainText("The settings were changed.");
    await other.close();
    await page.getByLabel("Opens at").fill("02:00");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("alert")).toContainText("were changed by somebody else meanwhile");
  });
});
