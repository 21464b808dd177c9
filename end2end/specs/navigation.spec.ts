import { expect, hydrated, test, withoutReload } from "../fixtures.ts";
import { navigation, Shell } from "../pages/shell.ts";

test("the navigation is Home, Incidents, Rooms, Updates, Portfolio, Audit, Settings (P0)", async ({ page }) => {
  await page.goto("/updates");
  const links = new Shell(page).mainNavigation.getByRole("link");
  await expect(links).toHaveText(navigation.map(({ name }) => name));
  for (const [index, { path }] of navigation.entries()) {
    await expect(links.nth(index)).toHaveAttribute("href", path);
  }
});

for (const { name, path } of navigation) {
  test(`${name} in the navigation leads to its page and is marked as the current one (P0)`, async ({ page }) => {
    await page.goto(path === "/updates" ? "/rooms" : "/updates");
    await hydrated(page);
    const shell = new Shell(page);
    const link = shell.mainNavigation.getByRole("link", { name, exact: true });

    await withoutReload(page, async () => {
      await link.click();
      await expect(page).toHaveURL(path);
      await expect(link).toHaveAttribute("aria-current", "page");
      await expect(shell.title, "the focus goes to the new page (P10)").toBeFocused();
    });
  });
}

test("the back and forward buttons walk through the pages without loading them anew (P8)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  const shell = new Shell(page);

  await withoutReload(page, async () => {
    for (const name of ["Rooms", "Incidents"]) {
      await shell.mainNavigation.getByRole("link", { name, exact: true }).click();
      await expect(shell.title).toHaveText(name);
    }
    await page.goBack();
    await expect(page).toHaveURL("/rooms");
    await expect(shell.title).toHaveText("Rooms");
    await page.goBack();
    await expect(page).toHaveURL("/updates");
    await expect(shell.title).toHaveText("Updates");
    await page.goForward();
    await expect(shell.title).toHaveText("Rooms");
  });
});

test("on a phone a button opens the navigation, and a link in it closes it again (P0, P10)", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 780 });
  await page.goto("/updates");
  await hydrated(page);
  const shell = new Shell(page);
  const link = shell.mainNavigation.getByRole("link", { name: "Incidents", exact: true });

  await expect(link).toBeHidden();
  await page.getByRole("button", { name: "Open navigation" }).click();
  await expect(link).toBeVisible();
  await link.click();
  await expect(shell.title).toHaveText("Incidents");
  await expect(link).toBeHidden();
});

test("a filter leaves the focus where it is, a link to a page of its own does not (P10)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  const shell = new Shell(page);
  const status = shell.filter("Status");
  await status.focus();
  await status.selectOption("Paused");
  await expect(page).toHaveURL(/[?&]status=/);
  await expect(shell.main.getByRole("row")).toHaveCount(2);
  await expect(shell.title).not.toBeFocused();

  await shell.main.getByRole("rowheader").getByRole("link").first().click();
  await expect(page).toHaveURL(/\/updates\/[^/?]+$/);
  await expect(shell.title).toBeFocused();
});

test("the first press of Tab offers to skip to the content (P10)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to content" });
  await expect(skip).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/#main$/);
  await expect(new Shell(page).main).toBeFocused();
});

for (const [list, behind] of [
  ["/updates", "page=99"],
  ["/incidents", "page=99"],
  ["/portfolio", "page=99"],
  ["/audit", "after=1.1"],
] as const) {
  test(`a page of ${list} behind the last one says so and leads to page 1 (P8)`, async ({ page }) => {
    await page.goto(`${list}?${behind}`);
    const { main } = new Shell(page);
    await expect(main.getByRole("heading", { name: "This page is empty" })).toBeVisible();
    await expect(main).not.toContainText(/\d+–\d+ of/);
    await expect(main.getByRole("link", { name: "Go to page 1" })).toHaveAttribute("href", list);
  });
}

test.describe("an address that leads nowhere", () => {
  test.use({ expectedErrors: [/404/] });

  test("answers 404 with a page that has the navigation (P8)", async ({ page }) => {
    const answer = await page.goto("/updates/no-such-update");
    expect(answer?.status()).toBe(404);
    await expect(new Shell(page).mainNavigation).toBeVisible();
  });
});

for (const path of ["/", "/updates"]) {
  test(`${path} asks for its program once it has been painted, for all of it at once, and for at most 250 kB (P8)`, async ({ page }) => {
    // What all pages have in common takes its time, so that whatever waits for it is seen to wait.
    await page.route("**/pkg/nightshift.wasm", async (route) => {
      await new Promise((later) => setTimeout(later, 500));
      await route.continue();
    });
    await page.goto(path);
    await hydrated(page);
    const loaded = await page.evaluate(() => {
      const files = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
      return {
        painted: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Infinity,
        parts: document.querySelector<HTMLMetaElement>('meta[name="parts"]')?.content.split(" ") ?? [],
        program: files
          .filter((file) => /\.(wasm|js)$/.test(file.name))
          .map((file) => ({
            name: new URL(file.name).pathname,
            from: file.startTime,
            until: file.responseEnd,
            size: file.encodedBodySize,
          })),
      };
    });
    expect(loaded.parts.length).toBeGreaterThan(1);
    const names = loaded.program.map(({ name }) => name);
    expect(names, "each file once").toEqual([...new Set(names)]);
    expect(names).toEqual(expect.arrayContaining(["/pkg/nightshift.wasm", "/pkg/nightshift.js", ...loaded.parts]));
    for (const { name, from } of loaded.program) {
      expect(from, `${name} waits for the page`).toBeGreaterThan(loaded.painted);
    }
    const wasm = loaded.program.filter(({ name }) => name.endsWith(".wasm"));
    expect(wasm.reduce((sum, { size }) => sum + size, 0)).toBeLessThan(250_000);
    const whole = loaded.program.find(({ name }) => name === "/pkg/nightshift.wasm");
    for (const { name, from } of loaded.program.filter(({ name }) => loaded.parts.includes(name))) {
      expect(from, `${name} does not wait for the rest`).toBeLessThan(whole?.until ?? 0);
    }
  });
}
