import { defineConfig } from "@playwright/test";
import { freePort } from "./free_port.ts";

// The workers read this file again: they find the port that the first reading chose.
const port = (process.env.NIGHTSHIFT_PORT ??= String(await freePort()));
const address = `http://127.0.0.1:${port}`;

export default defineConfig({
  outputDir: "test-results",
  reporter: [["list"]],
  fullyParallel: true,
  workers: 2,
  // A test that passes at the second try is a fault in the product or in the test.
  retries: 0,
  forbidOnly: process.env.CI === "true",
  timeout: 60_000,
  expect: { timeout: 5_000 },
  use: {
    baseURL: address,
    locale: "en-GB",
    // Rooms and the organisation have zones of their own; the browser's must not show anywhere.
    timezoneId: "Pacific/Auckland",
    reducedMotion: "reduce",
    viewport: { width: 1440, height: 900 },
    // A trace slows every test down; CI makes do with a picture of a failure.
    trace: process.env.CI === "true" ? "off" : "retain-on-failure",
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    },
  },
  projects: [
    { name: "pages", testDir: "specs", testMatch: "*.spec.ts" },
    { name: "screenshots", testDir: ".", testMatch: "screenshots.ts" },
    // One at a time: it measures.
    { name: "lighthouse", testDir: "lighthouse", testMatch: "scores.ts", fullyParallel: false },
  ],
  webServer: {
    command: `../tools/demo-for-tests ${port}`,
    url: `${address}/readyz`,
    timeout: 60_000,
    stdout: "ignore",
    stderr: "pipe",
    gracefulShutdown: { signal: "SIGTERM", timeout: 12_000 },
  },
});
