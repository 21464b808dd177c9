// What holds for all pages. A new page is one line in pages/every.ts.

import { expect, expectAccessible, expectNoSidewaysScrolling, hydrated, test } from "../fixtures.ts";
import { everyPage } from "../pages/every.ts";
import { Shell, Table } from "../pages/shell.ts";

for (const { name, title, table, noLinks, address } of everyPage) {
  test.describe(`the page "${name}"`, () => {
    test("has no accessibility findings in light, in dark and in forced colours (P10)", async ({ page }) => {
      await page.goto(await address(page));
      await hydrated(page);
      await expect(new Shell(page).title).toHaveText(title);
      await expectAccessible(page);
    });

    test("does not scroll sideways, from a phone to a desk (P10)", async ({ page }) => {
      await page.setViewportSize({ width: 360, height: 780 });
      await page.goto(await address(page));
      await hydrated(page);
      for (const width of [360, 768, 1440]) {
        await page.setViewportSize({ width, height: 780 });
        await expectNoSidewaysScrolling(page);
      }
    });

    test("keeps what the server wrote when its script takes over (P8)", async ({ page }) => {
      await page.goto(await address(page));
      await hydrated(page);
      const written = await (await page.request.get(page.url())).text();
      const { before, after } = await page.evaluate((html) => {
        const words = (page: Document) => {
          const main = page.querySelector("main")?.cloneNode(true) as HTMLElement;
          for (const silent of main.querySelectorAll("noscript, script, template")) silent.remove();
          return main.textContent.replace(/\s+/g, " ").trim();
        };
        return { before: words(new DOMParser().parseFromString(html, "text/html")), after: words(document) };
      }, written);
      expect(after).toBe(before);
    });

    test.describe("without script", () => {
      test.use({ javaScriptEnabled: false });

      test("shows its content and its links (P8)", async ({ page }) => {
        const answer = await page.goto(await address(page));
        expect(answer?.status()).toBe(200);

        const shell = new Shell(page);
        await expect(shell.title).toHaveText(title);
        await expect(page).toHaveTitle(/Nightshift/);
        await expect(shell.mainNavigation.getByRole("link").first()).toHaveAttribute("href", "/");
        if (!noLinks) await expect(shell.main.getByRole("link").first()).toHaveAttribute("href", /^(\/|\?|#)/);
        if (table) {
          const rows = new Table(shell.main.getByRole("table").first()).rows;
          await expect(rows.first()).toBeVisible();
        }
      });
    });
  });
}
