// What every spec starts from: a page that fails its test on any error in the browser, and the
// checks that hold for all pages.

import { AxeBuilder } from "@axe-core/playwright";
import { test as base, expect, type Page } from "@playwright/test";

type Options = {
  /** Errors that the test provokes on purpose. */
  expectedErrors: RegExp[];
};

export const test = base.extend<Options>({
  expectedErrors: [[], { option: true }],

  page: async ({ page, baseURL, expectedErrors }, use) => {
    const errors: string[] = [];
    const ours = (url: string) => url.startsWith(`${baseURL}/`);

    page.on("console", (message) => {
      if (message.type() === "error") errors.push(`console: ${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => errors.push(`page: ${error.stack ?? error.message}`));
    page.on("response", (response) => {
      if (ours(response.url()) && response.status() >= 400) {
        errors.push(`answer ${response.status()}: ${response.url()}`);
      }
    });
    page.on("requestfailed", (request) => {
      const reason = request.failure()?.errorText ?? "";
      // Leaving a page ends what it still loads, its event stream above all.
      if (reason === "net::ERR_ABORTED") return;
      if (ours(request.url())) {
        errors.push(`no answer: ${request.url()} (${reason})`);
      }
    });

    await use(page);

    const unexpected = errors.filter((error) => !expectedErrors.some((expected) => expected.test(error)));
    expect(unexpected, "errors in the browser").toEqual([]);
  },
});

export { expect };

/** Waits until the page's script has taken over from the server's HTML. */
export async function hydrated(page: Page): Promise<void> {
  await expect(page.locator("html[data-hydrated]")).toBeAttached({ timeout: 15_000 });
}

/** How people may have set their screens. */
const looks = [
  { name: "light", colorScheme: "light", forcedColors: "none" },
  { name: "dark", colorScheme: "dark", forcedColors: "none" },
  { name: "forced colours", colorScheme: "dark", forcedColors: "active" },
] as const;

/** P10: no finding against WCAG 2.2 A and AA, in light, in dark and in forced colours. */
export async function expectAccessible(page: Page): Promise<void> {
  for (const { name, colorScheme, forcedColors } of looks) {
    await page.emulateMedia({ colorScheme, forcedColors, reducedMotion: "reduce" });
    // With a transition under way, axe would measure one theme's text on the other's ground.
    expect(await page.evaluate(() => document.getAnimations().length), "running animations").toBe(0);
    const { violations } = await new AxeBuilder({ page })
      .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"])
      .analyze();
    const findings = violations.flatMap(({ id, help, nodes }) =>
      nodes.map((node) => `${id}: ${help}: ${node.target.join(" ")}: ${node.failureSummary ?? ""}`),
    );
    expect(findings, `accessibility in ${name}`).toEqual([]);
  }
}

/** P10: nothing makes the whole page scroll sideways. */
export async function expectNoSidewaysScrolling(page: Page): Promise<void> {
  const { content, view } = await page.evaluate(() => ({
    content: Math.max(document.documentElement.scrollWidth, document.body.scrollWidth),
    view: document.documentElement.clientWidth,
  }));
  expect(content, "width of the content").toBeLessThanOrEqual(view);
}

/** Runs `steps` and proves that the document stayed: the way was the router's and not a reload. */
export async function withoutReload(page: Page, steps: () => Promise<void>): Promise<void> {
  await page.evaluate(() => document.documentElement.setAttribute("data-same-document", ""));
  await steps();
  await expect(page.locator("html[data-same-document]"), "the page was reloaded").toBeAttached();
}
