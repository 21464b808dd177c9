import { cuttle, total } from "../estate.ts";
import { expect, hydrated, test, withoutReload } from "../fixtures.ts";
import { addressOfRoom, RoomPage, roomTabs, RoomsPage } from "../pages/rooms.ts";

for (const { name, path } of [
  { name: "the inventory (P0)", path: RoomsPage.inventory },
  { name: "Updates, Rooms (P4)", path: RoomsPage.ofUpdates },
]) {
  test.describe(name, () => {
    test("counts all rooms and shows the first page of them (P4, P8)", async ({ page }) => {
      await page.goto(path);
      const rooms = new RoomsPage(page);
      await expect(rooms.main).toContainText(`${total.rooms} rooms`);
      await expect(rooms.table.rows.first()).toBeVisible();
    });

    test("finds a room by its name, with site, ring and health, and keeps the words in the address (P4)", async ({ page }) => {
      await page.goto(path);
      await hydrated(page);
      const rooms = new RoomsPage(page);
      await rooms.search(cuttle.name);
      await expect(page).toHaveURL(/[?&]q=Cuttle/);
      await expect(rooms.table.rows).toHaveCount(1);
      for (const word of [cuttle.name, cuttle.site, cuttle.ring, /Healthy|Unhealthy|Unmonitored|Suppressed|Onboarding/]) {
        await expect(rooms.table.rows).toContainText(word);
      }

      await page.reload();
      await expect(rooms.table.rows).toHaveCount(1);
      await expect(rooms.main.getByRole("searchbox").first()).toHaveValue(cuttle.name);
    });

    test("narrows by ring, keeps it in the address, and undoes it by the back button (P4, P8)", async ({ page }) => {
      await page.goto(path);
      await hydrated(page);
      const rooms = new RoomsPage(page);
      await withoutReload(page, async () => {
        await rooms.filter("Ring").selectOption("Staging");
        await expect(page).toHaveURL(/[?&]ring=/);
        await expect(rooms.table.rows).toHaveCount(6);
        await page.goBack();
        await expect(page).toHaveURL(path);
        await expect(rooms.main).toContainText(`${total.rooms} rooms`);
      });
    });

    test.describe("without script", () => {
      test.use({ javaScriptEnabled: false });

      test("searches with an ordinary form (P8)", async ({ page }) => {
        await page.goto(path);
        const rooms = new RoomsPage(page);
        await rooms.search(cuttle.name);
        await expect(page).toHaveURL(/[?&]q=Cuttle/);
        await expect(rooms.table.rows).toHaveCount(1);
      });
    });
  });
}

test("a room has the tabs Overview, Updates, Tickets and History, each with an address of its own (P5)", async ({ page }) => {
  const address = await addressOfRoom(page, cuttle.name);
  await page.goto(address);
  await hydrated(page);
  const room = new RoomPage(page, cuttle.name);
  await expect(room.title).toHaveText(cuttle.name);
  await expect(room.ownTabs).toContainText(roomTabs.map(({ name }) => name));

  await withoutReload(page, async () => {
    for (const { name, path } of [...roomTabs].reverse()) {
      const tab = room.ownTabs.filter({ hasText: name });
      await tab.click();
      await expect(page).toHaveURL(`${address}${path}`);
      await expect(tab).toHaveAttribute("aria-current", "page");
      await expect(room.title).toHaveText(cuttle.name);
    }
    await page.goBack();
    await expect(page).toHaveURL(`${address}/updates`);
    await expect(room.updates.root).toBeVisible();
  });
});

test("a room's first line tells health, local time, ring and next window, each with its zone (P5, I4, W7)", async ({ page }) => {
  await page.goto(await addressOfRoom(page, cuttle.name));
  const room = new RoomPage(page, cuttle.name);
  // Thu 24 Oct 2024, 09:00 UTC is 20:00 in Sydney, which has had summer time since 6 October.
  await expect(room.fact("Local time")).toContainText("Thu 24 Oct, 20:00 (Sydney)");
  await expect(room.fact("Local time")).toContainText("Australia/Sydney, UTC+11:00");
  await expect(room.fact("Ring")).toContainText("General");
  await expect(room.fact("Next window")).toContainText("Fri 25 Oct, 00:00–05:00 (Sydney)");
  await expect(room.fact("Next window")).toContainText("Nothing is planned.");
  // A Warning ticket does not change the health.
  await expect(room.fact("Health")).toHaveText("4 of 4 devices in contact.");
  await expect(room.main.getByText("Healthy", { exact: true })).toBeVisible();
});

test("Overview lists the devices with their versions (P5)", async ({ page }) => {
  await page.goto(await addressOfRoom(page, cuttle.name));
  const { devices } = new RoomPage(page, cuttle.name);
  await expect(devices.root).toContainText("Teams Rooms app");
  await expect(devices.root).toContainText("5.1.28.0");
});

test("a room's Updates tell the status of each update and why (P5, T1, T5)", async ({ page }) => {
  await page.goto(`${await addressOfRoom(page, cuttle.name)}/updates`);
  const { updates } = new RoomPage(page, cuttle.name);
  for (const { update, status, why } of [
    { update: /Teams Rooms app 5\.2\.115\.0/, status: "Failed", why: /the room lost its network during the download/ },
    { update: /Teams Rooms app 5\.1\.28\.0/, status: "Completed", why: /^Confirmed 5\.1\.28\.0\.$/ },
    { update: /10\.0\.22631\.4317/, status: "Not required", why: /^Not ready: .+\.$/ },
    { update: /Windows 11 23H2/, status: "Not required", why: /^Already on 23H2\.$/ },
  ]) {
    const row = updates.row(update);
    expect(await updates.cell(row, /^status/i)).toBe(status);
    expect(await updates.cell(row, /^why/i)).toMatch(why);
  }
  for (const row of await updates.rows.all()) expect(await updates.cell(row, /^why/i)).not.toBe("");
});

test("a room's Tickets hold the ticket of its failed update (P5, K1)", async ({ page }) => {
  await page.goto(`${await addressOfRoom(page, cuttle.name)}/tickets`);
  await expect(new RoomPage(page, cuttle.name).tickets.root).toContainText("5.2.115.0");
});

test("a room is reached from the inventory and from Updates, Rooms under one address (P5)", async ({ page }) => {
  const fromInventory = await addressOfRoom(page, cuttle.name);
  await page.goto(RoomsPage.ofUpdates);
  const rooms = new RoomsPage(page);
  await rooms.search(cuttle.name);
  await expect(rooms.link(cuttle.name).first()).toHaveAttribute("href", fromInventory);
});

test("Home counts the unhealthy rooms and leads to them (P0, P1, I4)", async ({ page }) => {
  await page.goto("/");
  await hydrated(page);
  const key = page.getByRole("region", { name: "Room health" }).getByRole("listitem").filter({ hasText: "Unhealthy" });
  const number = Number(await key.getByRole("link").innerText());
  expect(number).toBeGreaterThan(0);
  await key.getByRole("link").click();
  await expect(page).toHaveURL("/rooms?state=unhealthy");
  const rooms = new RoomsPage(page);
  await expect(rooms.table.rows).toHaveCount(number);
  for (const row of await rooms.table.rows.all()) {
    expect(await rooms.table.cell(row, /^health/i)).toMatch(/^Unhealthy\s*\d+ open tickets?$/);
    await expect(row.getByRole("link", { name: /open ticket/ })).toHaveAttribute("href", /^\/rooms\/[^/]+\/tickets$/);
  }
  await rooms.filter("Show").selectOption("All in use");
  await expect(rooms.table.rows).toHaveCount(50);
});
