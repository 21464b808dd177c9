// Adding, editing and deleting rings, and moving rooms (P6, R1–R14), with script and without; and pages that hear of it (P9).

import { expect, expectAccessible, hydrated, test } from "../fixtures.ts";
import { OwnDemo } from "../pages/own_server.ts";
import { Shell, Table } from "../pages/shell.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with script" : "without script", () => {
    // Chromium names the status of an answer to a form as an error.
    test.use({ javaScriptEnabled, expectedErrors: [/422/] });
    let demo: OwnDemo;
    test.beforeEach(async () => {
      demo = await OwnDemo.start();
    });
    test.afterEach(async ({ page }) => {
      await page.goto("about:blank");
      await demo.stop();
    });

    test("a ring is added within the 60 days, edited and deleted (R2, R4, R8, R9, R11)", async ({ page }) => {
      await page.goto(`${demo.address}/updates/rings`);
      if (javaScriptEnabled) await hydrated(page);
      const shell = new Shell(page);
      const dialog = page.getByRole("dialog");
      const rings = new Table(shell.main.getByRole("table", { name: "Rings in order" }));
      await shell.main.getByRole("link", { name: "Add a ring" }).click();
      await expect(dialog).toContainText("Days set by other rings35 days");
      await expect(dialog).toContainText("Remaining days25 days");
      await dialog.getByLabel("Name", { exact: true }).fill("Event spaces");
      await dialog.getByLabel("Order").selectOption("7");
      await dialog.getByLabel("Rollout duration, days").fill("26");
      if (javaScriptEnabled) {
        await expect(dialog.getByRole("status")).toHaveText("1 day too many");
        await expectAccessible(page);
      }
      await dialog.getByRole("button", { name: "Add the ring" }).click();
      await expect(page.getByText("rollout and test period need 26 days; 25 of the 60 are left").first()).toBeVisible();
      await expect(dialog.getByLabel("Name", { exact: true })).toHaveValue("Event spaces");
      await dialog.getByLabel("Rollout duration, days").fill("5");
      await dialog.getByLabel("Test period, days").fill("2");
      await dialog.getByRole("button", { name: "Add the ring" }).click();
      await expect(shell.main).toContainText("The ring Event spaces is added.");
      await expect(rings.row(/Event spaces/)).toContainText("7 days");

      await shell.main.getByRole("link", { name: "Edit Event spaces" }).click();
      await dialog.getByLabel("Test period, days").fill("4");
      await dialog.getByRole("button", { name: "Save" }).click();
      await expect(rings.row(/Event spaces/)).toContainText("9 days");

      await shell.main.getByRole("link", { name: "Delete Event spaces" }).click();
      await dialog.getByRole("button", { name: "Delete the ring" }).click();
      await expect(shell.main).toContainText("The ring is deleted.");
      await expect(rings.row(/Event spaces/)).toHaveCount(0);
    });

    test("chosen rooms are moved to another ring (R12)", async ({ page }) => {
      await page.goto(`${demo.address}/updates/rings`);
      if (javaScriptEnabled) await hydrated(page);
      const shell = new Shell(page);
      await shell.main.getByRole("link", { name: "General", exact: true }).click();
      await expect(page).toHaveURL(/ring=/);
      const dialog = page.getByRole("dialog");
      const choices = shell.main.getByRole("checkbox", { name: /^Choose / });
      const first = (await choices.nth(0).getAttribute("aria-label"))?.replace("Choose ", "") ?? "";
      await choices.nth(0).check();
      await choices.nth(1).check();
      await shell.main.getByRole("button", { name: "Move chosen rooms" }).click();
      await expect(dialog.getByRole("heading", { level: 2 })).toHaveText("Move 2 rooms");
      if (javaScriptEnabled) {
        await hydrated(page);
        await expectAccessible(page);
      }
      await dialog.getByLabel("To the ring").selectOption("Executive");
      await dialog.getByRole("button", { name: "Move" }).click();
      await expect(shell.main).toContainText("2 rooms are moved.");
      await expect(shell.main.getByRole("link", { name: first, exact: true })).toBeVisible();
    });
  });
}

test.describe("two people", () => {
  let demo: OwnDemo;
  test.beforeEach(async () => {
    demo = await OwnDemo.start();
  });
  test.afterEach(async ({ page }) => {
    await page.goto("about:blank");
    await demo.stop();
  });

  test.describe("who edit one ring", () => {
    test.use({ expectedErrors: [/409/] });

    test("the slower is told, and sees the fresh state (R10)", async ({ page, browser }) => {
      await page.goto(`${demo.address}/updates/rings`);
      await hydrated(page);
      const shell = new Shell(page);
      const rings = new Table(shell.main.getByRole("table", { name: "Rings in order" }));
      await shell.main.getByRole("link", { name: "Edit Pilot floors" }).click();
      const dialog = page.getByRole("dialog");
      await expect(dialog.getByLabel("Test period, days")).toHaveValue("4");
      const other = await browser.newContext();
      const colleague = await other.newPage();
      await colleague.goto(page.url());
      await hydrated(colleague);
      await colleague.getByRole("dialog").getByLabel("Test period, days").fill("6");
      await colleague.getByRole("dialog").getByRole("button", { name: "Save" }).click();
      await expect(colleague.getByRole("main")).toContainText("9 days");
      await other.close();
      await dialog.getByLabel("Test period, days").fill("5");
      await dialog.getByRole("button", { name: "Save" }).click();
      await expect(dialog.getByRole("alert")).toContainText("Pilot floors was changed by somebody else meanwhile");
      await expect(dialog.getByLabel("Test period, days"), "nothing typed is lost").toHaveValue("5");
      await expect(rings.row(/Pilot floors/)).toContainText("9 days");
    });
  });

  test("what one changes shows on the other's open page within two seconds, and a dialog stays open (P9)", async ({
    page,
    browser,
  }) => {
    await page.goto(`${demo.address}/updates/rings`);
    await hydrated(page);
    const shell = new Shell(page);
    const rings = new Table(shell.main.getByRole("table", { name: "Rings in order" }));
    await shell.main.getByRole("link", { name: "Add a ring" }).click();
    await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill("Half a name");
    // The page has heard where the database stands.
    await page.waitForTimeout(1500);
    const other = await browser.newContext();
    const colleague = await other.newPage();
    await colleague.goto(`${demo.address}/updates/rings?do=add`);
    await hydrated(colleague);
    const dialog = colleague.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("Event spaces");
    await dialog.getByLabel("Order").selectOption("7");
    await dialog.getByRole("button", { name: "Add the ring" }).click();
    await expect(rings.row(/Event spaces/)).toBeVisible({ timeout: 2_500 });
    await expect(page.getByRole("dialog").getByLabel("Name", { exact: true })).toHaveValue("Half a name");
    await other.close();
  });
});
