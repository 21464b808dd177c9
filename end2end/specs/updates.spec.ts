import { active, notRequired, past } from "../estate.ts";
import { expect, hydrated, test, withoutReload } from "../fixtures.ts";
import { UpdatePage, UpdatesPage } from "../pages/updates.ts";

const tabs = [
  { name: "Updates", path: "/updates", table: "Updates" },
  { name: "Rooms", path: "/updates/rooms", table: "Rooms" },
  { name: "Rings", path: "/updates/rings", table: "Rings in order" },
];

test("Updates has the tabs Updates, Rooms and Rings, each with an address of its own (P2)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  const updates = new UpdatesPage(page);
  await expect(updates.tabs("Updates")).toHaveText(tabs.map(({ name }) => name));

  await withoutReload(page, async () => {
    for (const { name, path, table } of [...tabs].reverse()) {
      await updates.tab(name, "Updates").click();
      await expect(page).toHaveURL(path);
      await expect(updates.tab(name, "Updates")).toHaveAttribute("aria-current", "page");
      await expect(updates.tabs("Updates").and(page.locator("[aria-current]"))).toHaveCount(1);
      await expect(page.getByRole("table", { name: table, exact: true })).toBeVisible();
    }
    await page.goBack();
    await expect(page).toHaveURL("/updates/rooms");
    await expect(page.getByRole("table", { name: "Rooms", exact: true })).toBeVisible();
  });
});

test("the list shows the active updates with their status, and no others (T3, T9)", async ({ page }) => {
  await page.goto("/updates");
  const { table } = new UpdatesPage(page);
  for (const { row, status } of Object.values(active)) {
    await expect(table.row(row)).toHaveCount(1);
    expect(await table.cell(table.row(row), /^status/i)).toContain(status);
  }
  await expect(table.rows).toHaveCount(Object.keys(active).length);
});

test("a row tells product, vendor, kind, version, status, rings, day, counts, start and end (T10)", async ({ page }) => {
  await page.goto("/updates");
  const updates = new UpdatesPage(page);
  const row = updates.table.row(active.roomsApp.row);

  for (const fact of [
    /Teams Rooms app/,
    /Microsoft/,
    /\bapp\b/i,
    /5\.2\.115\.0/,
    /In progress/,
    /day 23 of 35/i,
    /44 of 60/,
    /1 failed/,
    /2 Oct/,
    /5 Nov/,
  ]) {
    await expect(row).toContainText(fact);
  }
  await expect(updates.track(row)).toHaveAccessibleName(/Staging.*Pilot floors.*General.*Executive/s);
});

test("a critical update is marked, a routine one is not (S4, T10)", async ({ page }) => {
  await page.goto("/updates");
  const { table } = new UpdatesPage(page);
  await expect(table.row(active.windows23h2.row)).toContainText("Critical");
  await expect(table.row(active.windows22h2.row)).toContainText("Critical");
  await expect(table.row(active.roomsApp.row)).not.toContainText("Critical");
});

test("Include past updates adds the ended ones and is kept in the address (T9)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  const updates = new UpdatesPage(page);
  await expect(updates.includePast).not.toBeChecked();
  await expect(updates.table.row(past.supersededRoomsApp.row)).toHaveCount(0);

  await withoutReload(page, async () => {
    await updates.includePast.click();
    await expect(page).toHaveURL("/updates?past=on");
    for (const { row, status } of Object.values(past)) {
      await expect(updates.table.row(row)).toContainText(status);
    }
  });
  await expect(updates.table.row(active.roomsApp.row)).toBeVisible();
  await expect(updates.table.row(notRequired.row), "it is in the portfolio only").toHaveCount(0);

  await page.reload();
  await expect(updates.includePast).toBeChecked();
  await expect(updates.table.row(past.supersededRoomsApp.row)).toBeVisible();

  await page.goto("/updates");
  await expect(updates.includePast).not.toBeChecked();
});

test("the status filter narrows the list, stays in the address and is undone by the back button (T10)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  const updates = new UpdatesPage(page);

  await withoutReload(page, async () => {
    await updates.filter("Status").selectOption("Paused");
    await expect(page).toHaveURL(/[?&]status=/);
    await expect(updates.table.rows).toHaveCount(1);
    await expect(updates.table.row(active.studioX.row)).toBeVisible();
  });

  await page.reload();
  await hydrated(page);
  await expect(updates.table.rows).toHaveCount(1);
  await expect(updates.filter("Status").locator("option:checked")).toHaveText("Paused");

  await page.goBack();
  await expect(page).toHaveURL("/updates");
  await expect(updates.table.rows).toHaveCount(Object.keys(active).length);
});

test("a head that sorts says so and writes the order to the address (T10)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  const { table } = new UpdatesPage(page);
  const head = table.heads.filter({ hasText: /^\s*Status/ });

  await head.getByRole("button").or(head.getByRole("link")).click();
  await expect(page).toHaveURL(/[?&]sort=/);
  await expect(head).toHaveAttribute("aria-sort", /^(ascending|descending)$/);
  await expect(table.rows).toHaveCount(Object.keys(active).length);
});

test.describe("without script", () => {
  test.use({ javaScriptEnabled: false });

  test("the address alone shows past updates and one status (T9, T10, P8)", async ({ page }) => {
    await page.goto("/updates?past=on");
    const updates = new UpdatesPage(page);
    await expect(updates.includePast).toBeChecked();
    await expect(updates.table.row(past.supersededRoomsApp.row)).toBeVisible();
  });

  test("the filters are a form that can be sent (T10, P8)", async ({ page }) => {
    await page.goto("/updates");
    const updates = new UpdatesPage(page);
    await updates.filter("Status").selectOption("Paused");
    await updates.search("");
    await expect(page).toHaveURL(/[?&]status=/);
    await expect(updates.table.rows).toHaveCount(1);
    await expect(updates.table.row(active.studioX.row)).toBeVisible();
  });
});

test("an update's page shows status, the dates of every ring, and its rooms (P3, T2)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  await new UpdatesPage(page).link(active.roomsApp.row).click();
  await expect(page).toHaveURL(/\/updates\/[^/]+$/);

  const update = new UpdatePage(page);
  await expect(update.title).toContainText("5.2.115.0");
  await expect(update.main).toContainText("In progress");
  await expect(update.main).toContainText(/day 23 of 35/i);
  for (const [ring, words] of [
    ["Staging", [/Completed/, /2 Oct/, /8 Oct/, /2 of 2/]],
    ["Pilot floors", [/Completed/, /9/, /15 Oct/, /5 of 5/]],
    ["General", [/In progress|Rolling out/, /16/, /29 Oct/, /36 of 43/]],
    ["Executive", [/Not started/, /30 Oct/, /5 Nov/]],
  ] as const) {
    for (const word of words) await expect(update.rings.row(ring)).toContainText(word);
  }
  await expect(update.rooms.rows.first()).toBeVisible();
});

test("every room of an update has its status with a reason (P3, T5)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  await new UpdatesPage(page).link(active.roomsApp.row).click();
  const { rooms } = new UpdatePage(page);
  const failed = rooms.rows.filter({ hasText: "Cuttle" });
  expect(await rooms.cell(failed, /^status/i)).toContain("Failed");
  expect(await rooms.cell(failed, /^why/i)).not.toBe("");
});

test("a paused update says who paused it, since when and why, and offers no Pause (K2, K3, P3)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  await new UpdatesPage(page).link(active.studioX.row).click();
  const { main } = new UpdatePage(page);
  await expect(main).toContainText("Paused by Update manager on Thu 17 Oct, 14:20 (London): Far end hears an echo after the update.");
  await expect(main.getByRole("button", { name: "Pause", exact: true })).toHaveCount(0);
});
