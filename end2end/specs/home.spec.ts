// Announcements on Home (P1): admins write them, what is new in the portfolio announces itself, each person dismisses them for themselves.

import { expect, expectAccessible, expectNoSidewaysScrolling, hydrated } from "../fixtures.ts";
import { test } from "../own_demo.ts";
import { OwnServer } from "../pages/own_server.ts";
import { Shell } from "../pages/shell.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with script" : "without script", () => {
    test.use({ javaScriptEnabled, expectedErrors: [/422/] });

    test("something is announced, dismissed for oneself and taken down for everybody (P1, G5)", async ({ page }) => {
      const server = await OwnServer.start();
      await server.makeFirstAdmin(page, "a lamp that hums at night");
      await page.goto(`${server.address}/`);
      if (javaScriptEnabled) await hydrated(page);
      const shell = new Shell(page);
      const dialog = page.getByRole("dialog");
      const news = shell.main.getByRole("region", { name: "Announcements" });
      await shell.main.getByRole("link", { name: "Announce something" }).click();
      await dialog.getByLabel("Title").fill("No updates at quarter close");
      await dialog.getByLabel("Details").fill("Two days.\n<b>Then</b> they go on.");
      await dialog.getByLabel("Last date").fill("2001-01-01");
      if (javaScriptEnabled) await expectAccessible(page);
      await dialog.getByRole("button", { name: "Announce" }).click();
      await expect(page.getByText(/choose .* or a later date, or leave it empty/).first()).toBeVisible();
      await expect(dialog.getByLabel("Title"), "nothing typed is lost").toHaveValue("No updates at quarter close");
      await dialog.getByLabel("Last date").fill("");
      await dialog.getByRole("button", { name: "Announce" }).click();
      await expect(shell.main).toContainText("The announcement is now on everybody’s Home.");
      const one = news.getByRole("listitem").filter({ hasText: "No updates at quarter close" });
      await expect(one).toContainText("<b>Then</b> they go on.");
      await expect(one).toContainText(/Ada Byrne, \w+ \d+ \w+, \d\d:\d\d \(\w+\)/);
      if (javaScriptEnabled) {
        await expectAccessible(page);
        await expectNoSidewaysScrolling(page);
      }
      await one.getByRole("button", { name: "Dismiss: No updates at quarter close" }).click();
      await expect(shell.main).toContainText("The announcement was dismissed for you only.");
      await expect(one).toHaveCount(0);
      await shell.main.getByRole("link", { name: "Announce something" }).click();
      await dialog.getByLabel("Title").fill("A slip of the hand");
      await dialog.getByRole("button", { name: "Announce" }).click();
      const slip = news.getByRole("listitem").filter({ hasText: "A slip of the hand" });
      await slip.getByRole("button", { name: "Take down: A slip of the hand" }).click();
      await expect(shell.main).toContainText("The announcement was taken down for everybody.");
      await expect(slip).toHaveCount(0);
      await page.goto("about:blank");
      await server.stop();
    });
  });
}

test("a product that is new in the portfolio announces itself (P1)", async ({ page, open }) => {
  await open("/portfolio?do=add");
  const shell = new Shell(page);
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Id", { exact: true }).fill("dock-firmware");
  await dialog.getByLabel("Vendor").fill("Example");
  await dialog.getByLabel("Name").fill("Dock firmware");
  await dialog.getByRole("button", { name: "Add the product" }).click();
  await expect(shell.main).toContainText("Dock firmware");
  await open("/");
  const news = shell.main.getByRole("region", { name: "Announcements" });
  await expect(news).toContainText("New in the portfolio: Example Dock firmware");
});
