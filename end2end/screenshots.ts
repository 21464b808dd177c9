// Takes a picture of each page, wide and narrow, light and dark, into the folder SCREENSHOTS.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { hydrated, test } from "./fixtures.ts";
import { everyPage } from "./pages/every.ts";

const folder = process.env.SCREENSHOTS ?? "../docs/screenshots";
const sizes = [
  { name: "wide", width: 1440, height: 900 },
  { name: "narrow", width: 390, height: 844 },
];

for (const { name, address } of everyPage) {
  for (const size of sizes) {
    for (const colorScheme of ["light", "dark"] as const) {
      test(`${name}, ${size.name}, ${colorScheme}`, async ({ page }) => {
        mkdirSync(folder, { recursive: true });
        await page.setViewportSize(size);
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.goto(await address(page));
        await hydrated(page);
        await page.screenshot({ path: join(folder, `${name}-${size.name}-${colorScheme}.png`), animations: "disabled" });
      });
    }
  }
}
