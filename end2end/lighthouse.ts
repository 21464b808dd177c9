// `make lighthouse`: how fast and how accessible the Updates page is, as Lighthouse sees it, on a desk and on a slow phone (P8, P10).

import { type AddressInfo, createServer } from "node:net";

import { chromium, expect, test } from "@playwright/test";
import lighthouse, { desktopConfig } from "lighthouse";

/** Of 100. */
const WANTED = 95;

for (const { device, config } of [
  { device: "a desk", config: desktopConfig },
  { device: "a slow phone", config: undefined },
]) {
  test(`on ${device}`, async ({ baseURL, launchOptions }) => {
    test.setTimeout(180_000);
    const port = await freePort();
    const args = [...(launchOptions.args ?? []), `--remote-debugging-port=${port}`];
    const browser = await chromium.launch({ ...launchOptions, args });
    const onlyCategories = ["performance", "accessibility"];
    const result = await lighthouse(`${baseURL}/updates`, { port, logLevel: "error", onlyCategories }, config);
    await browser.close();
    if (!result) throw new Error("Lighthouse has no answer");
    const { categories, audits } = result.lhr;
    const seen = (audit: string) => `${audit} ${audits[audit]?.displayValue ?? "?"}`;
    const measures = ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift", "speed-index"];
    for (const category of onlyCategories) {
      const score = Math.round((categories[category]?.score ?? 0) * 100);
      console.log(`Updates on ${device}: ${category} ${score} of 100 (wanted: ${WANTED})`);
      expect.soft(score, `${category} on ${device}`).toBeGreaterThanOrEqual(WANTED);
    }
    console.log(`  ${measures.map(seen).join(", ")}`);
    const bad = Object.values(audits).filter((audit) => audit.score !== null && audit.score < 0.9);
    for (const { id, title, displayValue } of bad) console.log(`  ${id}: ${title} ${displayValue ?? ""}`);
  });
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((listening) => probe.listen(0, "127.0.0.1", listening));
  const { port } = probe.address() as AddressInfo;
  await new Promise((closed) => probe.close(closed));
  return port;
}
