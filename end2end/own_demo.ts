// Tests that change something: each on a demo of its own, with script and without.

import { hydrated, test as base } from "./fixtures.ts";
import { OwnDemo } from "./pages/own_server.ts";

type Own = {
  /** The demo, which ends with the test. */
  demo: OwnDemo;
  /** Opens a page of the demo, and waits for its script where there is one. */
  open: (path: string) => Promise<void>;
};

export const test = base.extend<Own>({
  demo: async ({ page }, use) => {
    const demo = await OwnDemo.start();
    await use(demo);
    // Its stream of events would end with an error.
    await page.goto("about:blank");
    await demo.stop();
  },
  open: async ({ demo, page, javaScriptEnabled }, use) => {
    await use(async (path) => {
      await page.goto(`${demo.address}${path}`);
      if (javaScriptEnabled !== false) await hydrated(page);
    });
  },
});

/** Every form works without script as well (P8). `expectedErrors`: the status of an answer to a form, which Chromium names as an error. */
export function bothWays(expectedErrors: RegExp[], tests: (withScript: boolean) => void): void {
  for (const javaScriptEnabled of [true, false]) {
    test.describe(javaScriptEnabled ? "with script" : "without script", () => {
      test.use({ javaScriptEnabled, expectedErrors });
      tests(javaScriptEnabled);
    });
  }
}
