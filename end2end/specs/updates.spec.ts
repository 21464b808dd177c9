import { readFile } from "node:fs/promises";
import { active, notRequired, past } from "../estate.ts";
import { expect, hydrated, test, withoutReload } from "../fixtures.ts";
import { Shell } from "../pages/shell.ts";
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
    "Teams Rooms app 5.2.115.0",
    "Microsoft · App",
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

test("a head that sorts says so, writes the order to the address and puts the rows into it (T10)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  const { table } = new UpdatesPage(page);
  const head = table.heads.filter({ hasText: /^\s*Status/ });
  const statuses = async () => {
    const cells: string[] = [];
    for (const row of await table.rows.all()) cells.push(await table.cell(row, /^status/i));
    // The severity stands in the same cell.
    return cells.map((cell) => cell.replace(/ Critical$/, ""));
  };
  const inOrder = [
    "Scheduled",
    "In progress",
    "In progress",
    "In progress",
    "In progress",
    "Completed with failures",
    "Paused",
  ];

  await head.getByRole("link").click();
  await expect(page).toHaveURL(/[?&]sort=status$/);
  await expect(head).toHaveAttribute("aria-sort", "ascending");
  await expect.poll(statuses).toEqual(inOrder);

  await head.getByRole("link").click();
  await expect(page).toHaveURL(/[?&]sort=-status$/);
  await expect(head).toHaveAttribute("aria-sort", "descending");
  await expect.poll(statuses).toEqual([...inOrder].reverse());
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
  for (const { ring, status, dates, rooms } of [
    {
      ring: "Staging",
      status: /Completed\s*$/,
      dates: "Wed 2 Oct – Thu 3 Oct Test Fri 4 Oct – Tue 8 Oct",
      rooms: "2 of 2",
    },
    {
      ring: "Pilot floors",
      status: /Completed\s*$/,
      dates: "Wed 9 Oct – Fri 11 Oct Test Sat 12 Oct – Tue 15 Oct",
      rooms: "5 of 5",
    },
    {
      ring: "General",
      status: /In progress, rolling out\s*$/,
      dates: "Wed 16 Oct – Fri 25 Oct Test Sat 26 Oct – Tue 29 Oct",
      rooms: "36 of 43 1 failed 1 running 5 waiting 1 of them catches up",
    },
    {
      ring: "Executive",
      status: /Not started\s*$/,
      dates: "Wed 30 Oct – Sun 3 Nov Test Mon 4 Nov – Tue 5 Nov",
      rooms: "1 of 10 9 waiting",
    },
  ]) {
    const row = update.rings.row(ring);
    await expect(row.getByRole("rowheader")).toHaveText(status);
    expect(await update.rings.cell(row, /^rollout$/i)).toBe(dates);
    expect(await update.rings.cell(row, /^installed$/i)).toBe(rooms);
  }
  await expect(update.rooms.rows.first()).toBeVisible();
});

test("every room of an update has its status with a reason, on every page forth and back (P3, P8, T5)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  await new UpdatesPage(page).link(active.roomsApp.row).click();
  const { rooms, main } = new UpdatePage(page);
  const step = (name: string) => main.getByRole("navigation", { name: "Pages" }).locator("a", { hasText: name });
  const names = () => rooms.rows.getByRole("rowheader").allInnerTexts();
  await expect(rooms.rows.first()).toBeVisible();
  const first = await names();

  const seen: string[] = [];
  for (;;) {
    for (const row of await rooms.rows.all()) {
      const name = await row.getByRole("rowheader").innerText();
      expect(await rooms.cell(row, /^status/i), name).toMatch(
        /^(Scheduled|In progress|Completed|Failed|Paused|Deprecated|Not required)$/,
      );
      expect(await rooms.cell(row, /^why/i), name).not.toBe("");
      const completed = (await rooms.cell(row, /^status/i)) === "Completed";
      expect(await rooms.cell(row, /^when/i), name).toMatch(completed ? /^Installed \w+ \d+ \w+, \d\d:\d\d \(.+\)$/ : /./);
      seen.push(name);
    }
    if ((await step("Next").count()) === 0) break;
    const before = await names();
    await step("Next").click();
    await expect.poll(names).not.toEqual(before);
  }
  expect(new Set(seen).size, "no room twice").toBe(seen.length);
  expect(seen).toHaveLength(66);
  await expect(main.getByText("66 rooms", { exact: true }).first()).toBeVisible();

  await step("Previous").click();
  await expect.poll(names).toEqual(first);
});

test("the room in which an update failed says why and what comes next (P3, T5, K4)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  await new UpdatesPage(page).link(active.roomsApp.row).click();
  const { rooms } = new UpdatePage(page);
  const failed = rooms.row(/Cuttle/);
  expect(await rooms.cell(failed, /^status/i)).toBe("Failed");
  expect(await rooms.cell(failed, /^why/i)).toContain("the room lost its network during the download");
  expect(await rooms.cell(failed, /^when/i)).toBe("Only after a retry Retry");
});

test.describe("a status that no room has", () => {
  test.use({ expectedErrors: [/422/] });

  test("is refused with a sentence that names it (G5)", async ({ page }) => {
    await page.goto("/updates");
    const address = await new UpdatesPage(page).link(active.roomsApp.row).getAttribute("href");
    const answer = await page.goto(`${address}?status=sleeping`);
    expect(answer?.status()).toBe(422);
    await expect(new UpdatePage(page).main).toContainText('status: "sleeping" is not a status of a room');
  });
});

test("a paused update says who paused it, since when and why, and offers no Pause (K2, K3, P3)", async ({ page }) => {
  await page.goto("/updates");
  await hydrated(page);
  await new UpdatesPage(page).link(active.studioX.row).click();
  const { main } = new UpdatePage(page);
  await expect(main).toContainText("Paused by Update manager on Thu 17 Oct, 14:20 (London): Far end hears an echo after the update.");
  await expect(main.getByRole("button", { name: "Pause", exact: true })).toHaveCount(0);
});

test("the rooms of an update are exported as they are filtered, with status and reason (P3)", async ({ page }) => {
  await page.goto(UpdatesPage.path);
  await new UpdatesPage(page).link(active.roomsApp.row).click();
  await hydrated(page);
  const shell = new Shell(page);
  await expect(shell.main.getByRole("heading", { level: 1 })).toContainText("5.2.115.0");
  await page.goto(`${page.url().split(/[?#]/)[0]}?status=failed`);
  const download = page.waitForEvent("download");
  await shell.main.getByRole("link", { name: "Export" }).click();
  const lines = (await readFile(await (await download).path(), "utf8")).trim().split("\n");
  expect(lines[0]).toBe("room,site,ring,status,why,when,attempt,catch-up,ticket");
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines.slice(1)) expect(line).toContain(",Failed,");
  expect(lines.join("\n")).toMatch(/^Cuttle,Sydney,General,Failed,.*the room lost its network/m);
});
