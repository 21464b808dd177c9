// `make lighthouse`: how fast and how accessible the Updates page is, as Lighthouse sees it, on a desk and on a slow phone (P8, P10).
// It has packages of its own, which the browser tests do without.

import { chromium, expect, test } from "@playwright/test";

import { freePort } from "../free_port.ts";

/** Of 100. */
const WANTED = 95;
const categories = ["performance", "accessibility"];
const measures = [
  "first-contentful-paint",
  "largest-contentful-paint",
  "total-blocking-time",
  "cumulative-layout-shift",
  "speed-index",
];

/** What is read of Lighthouse's answer. */
type Answer = {
  lhr: {
    categories: Record<string, { score: number | null }>;
    audits: Record<string, { score: number | null; title: string; displayValue?: string }>;
  };
};
type Lighthouse = {
  default: (url: string, flags: object, config?: object) => Promise<Answer | undefined>;
  desktopConfig: object;
};

for (const device of ["a desk", "a slow phone"]) {
  test(`on ${device}`, async ({ baseURL, launchOptions }) => {
    test.setTimeout(180_000);
    const name: string = "lighthouse";
    const { default: lighthouse, desktopConfig } = (await import(name)) as Lighthouse;
    const port = await freePort();
    const args = [...(launchOptions.args ?? []), `--remote-debugging-port=${port}`];
    const browser = await chromium.launch({ ...launchOptions, args });
    const flags = { port, logLevel: "error", onlyCategories: categories };
    const answer = await lighthouse(`${baseURL}/updates`, flags, device === "a desk" ? desktopConfig : undefined);
    await browser.close();
    if (!answer) throw new Error("Lighthouse has no answer");
    const { audits } = answer.lhr;
    for (const category of categories) {
      const score = Math.round((answer.lhr.categories[category]?.score ?? 0) * 100);
      console.log(`Updates on ${device}: ${category} ${score} of 100 (wanted: ${WANTED})`);
      expect.soft(score, `${category} on ${device}`).toBeGreaterThanOrEqual(WANTED);
    }
    console.log(`  ${measures.map((measure) => `${measure} ${audits[measure]?.displayValue ?? "?"}`).join(", ")}`);
    const bad = Object.entries(audits).filter(([, { score }]) => score !== null && score < 0.9);
    for (const [id, { title, displayValue }] of bad) console.log(`  ${id}: ${title} ${displayValue ?? ""}`);
  });
}
