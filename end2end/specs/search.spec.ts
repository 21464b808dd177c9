// One box finds everything, and keys lead around (P8, P10).

import { expect, expectAccessible, expectNoSidewaysScrolling, hydrated, test } from "../fixtures.ts";
import { cuttle } from "../estate.ts";
import { Shell } from "../pages/shell.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with script" : "without script", () => {
    test.use({ javaScriptEnabled });

    test("rooms, updates and tickets are found by name and number (P8)", async ({ page }) => {
      await page.goto("/");
      if (javaScriptEnabled) await hydrated(page);
      const shell = new Shell(page);
      const box = page.getByRole("banner").getByRole("searchbox", { name: "Search rooms, updates and tickets" });
      await box.fill("cutt");
      await box.press("Enter");
      await expect(page).toHaveURL(/\/search\?q=cutt$/);
      await expect(shell.main.getByRole("link", { name: cuttle.name, exact: true })).toBeVisible();
      if (javaScriptEnabled) {
        await expectAccessible(page);
        await expectNoSidewaysScrolling(page);
      }
      await shell.main.getByRole("link", { name: cuttle.name, exact: true }).click();
      await expect(shell.main.getByRole("heading", { level: 1 })).toHaveText(cuttle.name);

      await page.goto("/search?q=5.2.115");
      await expect(shell.main.getByRole("link", { name: /^Teams Rooms app.* 5\.2\.115\.0$/ })).toBeVisible();
      await page.goto("/search?q=T-1001");
      await expect(shell.main.getByRole("link", { name: /^T-1001 / })).toBeVisible();
      await page.goto("/search?q=%22%27%28%3A%2A");
      await expect(shell.main.getByRole("status").filter({ hasText: "Nothing" })).toHaveText("Nothing matches.");
    });
  });
}

test("keys lead to the box, to places and to their own list (P10)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  const shell = new Shell(page);
  await page.keyboard.press("/");
  const box = page.getByRole("banner").getByRole("searchbox");
  await expect(box).toBeFocused();
  await page.keyboard.type("g?/");
  await expect(box, "while somebody types, keys are letters").toHaveValue("g?/");
  await page.keyboard.press("Escape");
  await box.blur();
  await page.keyboard.press("?");
  const dialog = page.getByRole("dialog");
  await expect(dialog.getByRole("heading", { level: 2 })).toHaveText("Keyboard shortcuts");
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await page.keyboard.press("g");
  await page.keyboard.press("r");
  await expect(page).toHaveURL(/\/rooms$/);
  await expect(shell.main.getByRole("heading", { level: 1 })).toBeFocused();
});
