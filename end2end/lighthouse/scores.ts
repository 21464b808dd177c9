// `make lighthouse`: how fast and how accessible the Updates page is, as Lighthouse sees it, on a desk and on a slow phone (P8, P10).
// It has packages of its own, which the browser tests do without.

import { chromium, expect, test } from "@playwright/test";

import { freePort } from "../free_port.ts";

/** Of 100. */
const WANTED = 95;
/** The middle one of so many runs counts, as Lighthouse advises: the speed of the machine is in each. */
const RUNS = 5;
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
    test.setTimeout(300_000);
    const name: string = "lighthouse";
    const { default: lighthouse, desktopConfig } = (await import(name)) as Lighthouse;
    const answers: Answer[] = [];
    while (answers.length < RUNS) {
      const port = await freePort();
      const args = [...(launchOptions.args ?? []), `--remote-debugging-port=${port}`];
      const browser = await chromium.launch({ ...launchOptions, args });
      const flags = { port, logLevel: "error", onlyCategories: categories };
      const answer = await lighthouse(`${baseURL}/updates`, flags, device === "a desk" ? desktopConfig : undefined);
      await browser.close();
      if (!answer) throw new Error("Lighthouse has no answer");
      answers.push(answer);
    }
    const scored = (answer: Answer, category: string) =>
      Math.round((answer.lhr.categories[category]?.score ?? 0) * 100);
    for (const category of categories) {
      const scores = answers.map((answer) => scored(answer, category)).sort((a, b) => a - b);
      const score = scores[Math.floor(RUNS / 2)] ?? 0;
      console.log(`Updates on ${device}: ${category} ${score} of 100 (wanted: ${WANTED}; runs: ${scores.join(", ")})`);
      expect.soft(score, `${category} on ${device}`).toBeGreaterThanOrEqual(WANTED);
    }
    for (const { lhr } of answers) {
      console.log(`  ${measures.map((measure) => `${measure} ${lhr.audits[measure]?.displayValue ?? "?"}`).join(", ")}`);
    }
    const bad = Object.entries(answers[0]?.lhr.audits ?? {}).filter(([, { score }]) => score !== null && score < 0.9);
    for (const [id, { title, displayValue }] of bad) console.log(`  ${id}: ${title} ${displayValue ?? ""}`);
  });
}
