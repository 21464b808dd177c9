// Rooms, their devices and their sites: added, edited, retired, imported and exported (P0, P5, R3, R13, A4, G5).

import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { expect, expectAccessible, expectNoSidewaysScrolling, hydrated } from "../fixtures.ts";
import { bothWays, test } from "../own_demo.ts";
import { RoomPage, RoomsPage } from "../pages/rooms.ts";
import { Shell, Table } from "../pages/shell.ts";

async function sends(page: Page, button: string): Promise<void> {
  await page.getByRole("dialog").getByRole("button", { name: button, exact: true }).click();
}

bothWays([/422|409/], (withScript) => {
  test("a room is added, edited, retired and brought back (P0, R3)", async ({ page, open }) => {
    await open("/rooms");
    const shell = new Shell(page);
    const dialog = page.getByRole("dialog");
    await shell.main.getByRole("link", { name: "Add a room" }).click();
    await expect(dialog.getByLabel("Ring")).toHaveValue(/.+/);
    await expect(dialog.getByLabel("Ring").locator("option:checked")).toHaveText("General");
    await dialog.getByLabel("Name", { exact: true }).fill("Zephyr");
    await dialog.getByLabel("Time zone, if not the site’s").fill("Mars/Base");
    if (withScript) {
      await expectAccessible(page);
      await expectNoSidewaysScrolling(page);
    }
    await sends(page, "Add the room");
    await expect(page.getByText(/Mars\/Base/).first()).toBeVisible();
    await expect(dialog.getByLabel("Name", { exact: true }), "nothing typed is lost").toHaveValue("Zephyr");
    await dialog.getByLabel("Time zone, if not the site’s").fill("Asia/Kathmandu");
    await sends(page, "Add the room");
    await expect(shell.main).toContainText("The room Zephyr was added.");
    const room = new RoomPage(page, "Zephyr");
    await expect(room.fact("Local time")).toContainText("Asia/Kathmandu");
    await expect(room.fact("Ring")).toContainText("General");

    await shell.main.getByRole("link", { name: "Edit", exact: true }).click();
    await dialog.getByLabel("Name", { exact: true }).fill("Grey zephyr");
    await dialog.getByLabel("Seats").fill("14");
    await sends(page, "Save");
    await expect(shell.main).toContainText("The room was changed.");
    await expect(shell.main.getByRole("heading", { level: 1 })).toHaveText("Grey zephyr");
    await expect(shell.main).toContainText("14 seats");

    await shell.main.getByRole("link", { name: "Retire", exact: true }).click();
    await dialog.getByLabel("Reason").fill("The house is sold");
    await sends(page, "Retire the room");
    await expect(shell.main).toContainText("The room was retired.");
    await open("/rooms?state=retired");
    await shell.main.getByRole("link", { name: "Grey zephyr" }).click();
    if (withScript) await hydrated(page);
    await shell.main.getByRole("link", { name: "Bring back" }).click();
    await sends(page, "Bring it back");
    await expect(shell.main).toContainText("The room is back");
    await shell.main.getByRole("link", { name: "History" }).click();
    await expect(shell.main).toContainText("Retired the room Grey zephyr: The house is sold");
  });

  test("Change and Assign move a room, and say what then comes to it (R13, R14, K9)", async ({ page, open }) => {
    await open("/rooms?q=Cuttle");
    const shell = new Shell(page);
    await shell.main.getByRole("link", { name: "Cuttle", exact: true }).click();
    if (withScript) await hydrated(page);
    const room = new RoomPage(page, "Cuttle");
    const dialog = page.getByRole("dialog");
    await expect(room.fact("Ring")).toContainText("General");
    await room.fact("Ring").getByRole("link", { name: "Change the ring" }).click();
    await expect(dialog).toContainText("What then comes to this room");
    await expect(dialog.getByLabel("Ring").locator("option", { hasText: "General" })).toHaveCount(0);
    await dialog.getByRole("link", { name: "Cancel" }).click();
    await expect(dialog).toHaveCount(0);
    await expect(room.fact("Ring")).toContainText("General");

    await room.ownTabs.filter({ hasText: "Updates" }).click();
    await shell.main.locator(".assigned").getByRole("link", { name: "Change the ring" }).click();
    await dialog.getByLabel("Ring").selectOption("Executive");
    if (withScript) await expectAccessible(page);
    await sends(page, "Assign");
    await expect(shell.main).toContainText("The room is in Executive now.");
    await expect(page).toHaveURL(/\/updates$/);
    await expect(shell.main.locator(".assigned")).toContainText("Executive");
  });

  test("a device's token is shown once, and revoking ends it (A4)", async ({ page, open }) => {
    await open("/rooms?q=Cuttle");
    const shell = new Shell(page);
    await shell.main.getByRole("link", { name: "Cuttle", exact: true }).click();
    if (withScript) await hydrated(page);
    const dialog = page.getByRole("dialog");
    const room = new RoomPage(page, "Cuttle");
    await shell.main.getByRole("link", { name: "Add a device" }).click();
    await dialog.getByLabel("Device id").fill("no good");
    await dialog.getByLabel("Model").fill("Rally Bar");
    await sends(page, "Add the device");
    await expect(page.getByText("must be 1 to 64 of").first()).toBeVisible();
    await dialog.getByLabel("Device id").fill("cuttle-bar-2");
    if (withScript) await expectAccessible(page);
    await sends(page, "Add the device");
    await expect(shell.main).toContainText("The device cuttle-bar-2 was added.");
    const token = shell.main.locator("code.one-time-secret");
    await expect(token).toHaveText(/^[0-9a-f]{64}$/);
    const first = await token.innerText();
    await expect(room.devices.root).toContainText("cuttle-bar-2");

    await room.devices.root.getByRole("link", { name: "New token for cuttle-bar-2" }).click();
    await sends(page, "Hand out a new token");
    await expect(token).toHaveText(/^[0-9a-f]{64}$/);
    await expect(token).not.toHaveText(first);
    await room.devices.root.getByRole("link", { name: "Revoke cuttle-bar-2" }).click();
    await sends(page, "Revoke the device");
    await expect(shell.main).toContainText("cuttle-bar-2 was revoked");
    await expect(token).toHaveCount(0);
    await expect(room.devices.root).not.toContainText("cuttle-bar-2");
  });

  test("what a device last reported is shown with its time, and Refresh asks for it again (P12)", async ({ page, open, demo }) => {
    await open("/rooms?q=Cuttle");
    const shell = new Shell(page);
    await shell.main.getByRole("link", { name: "Cuttle", exact: true }).click();
    if (withScript) await hydrated(page);
    const dialog = page.getByRole("dialog");
    await shell.main.getByRole("link", { name: "Add a device" }).click();
    await dialog.getByLabel("Device id").fill("cuttle-bar-3");
    await dialog.getByLabel("Model").fill("Rally Bar");
    await sends(page, "Add the device");
    const token = await shell.main.locator("code.one-time-secret").innerText();
    const device = `${demo.address}/DEFAULT/controller/v1/cuttle-bar-3`;
    const headers = { authorization: `TargetToken ${token}` };
    const facts = { data: { "room.state": "free", "room.mood": "calm" } };
    expect((await page.request.put(`${device}/configData`, { headers, data: facts })).status()).toBe(200);
    const wants = async () => {
      const poll = await page.request.get(device, { headers });
      return "configData" in (await poll.json())._links;
    };
    expect(await wants()).toBe(false);

    await page.reload();
    if (withScript) await hydrated(page);
    const room = new RoomPage(page, "Cuttle");
    const reported = room.devices.root.locator("details.reported-facts").filter({ hasText: "room.mood" });
    await reported.locator("summary").click();
    await expect(reported).toContainText(/room\.statefree.+\(Sydney\)/);
    await expect(reported.locator("div").filter({ hasText: "room.mood" })).toContainText("Not understood");
    if (withScript) {
      await expectAccessible(page);
      await expectNoSidewaysScrolling(page);
    }
    await shell.main.getByRole("button", { name: "Refresh what the devices report" }).click();
    await expect(shell.main).toContainText("asked for their facts with their next polls.");
    expect(await wants()).toBe(true);
  });

  test("a site is added and edited (P0, W7)", async ({ page, open }) => {
    await open("/rooms/sites");
    const shell = new Shell(page);
    const dialog = page.getByRole("dialog");
    const sites = new Table(shell.main.getByRole("table", { name: "Sites" }));
    await shell.main.getByRole("link", { name: "Add a site" }).click();
    await dialog.getByLabel("Name", { exact: true }).fill("Quay House");
    await dialog.getByLabel("Time zone").fill("Europe/Lisbon");
    if (withScript) await expectAccessible(page);
    await sends(page, "Add the site");
    await expect(shell.main).toContainText("The site Quay House was added.");
    await expect(sites.row(/Quay House/)).toContainText("(Lisbon)");
    await sites.row(/Quay House/).getByRole("link", { name: "Edit Quay House" }).click();
    await dialog.getByLabel("City").fill("Porto");
    await sends(page, "Save");
    await expect(sites.row(/Quay House/)).toContainText("Porto");
  });

  test("a file of rooms is shown with every refused line before it is imported (P0, G5)", async ({ page, open }) => {
    await open("/rooms/import");
    const shell = new Shell(page);
    const send = async (text: string) => {
      const file = { name: "rooms.csv", mimeType: "text/csv", buffer: Buffer.from(text) };
      await shell.main.getByLabel("A file of rooms").setInputFiles(file);
      await shell.main.getByRole("button", { name: "Check the file" }).click();
      await page.waitForURL(/upload=/);
      if (withScript) await hydrated(page);
    };
    const site = "Sydney";
    await send(`\u{feff}site;name;capacity\n${site};Zephyr;8\nAtlantis;Egret;8\n${site};Stork;many\n`);
    await expect(shell.main.getByRole("alert")).toContainText("rooms.csv: 2 lines are refused, so nothing is imported.");
    const refused = new Table(shell.main.getByRole("table", { name: "Refused lines" }));
    await expect(refused.row(/line 3 \(Egret\)/)).toContainText("there is no site named");
    await expect(refused.row(/line 4 \(Stork\)/)).toContainText("is not a whole number");
    await expect(shell.main.getByRole("button", { name: "Import it" })).toHaveCount(0);
    if (withScript) await expectAccessible(page);

    await open("/rooms/import");
    await send(`site,name,building\n${site},Zephyr,"<b>Quay</b>, east"\n${site},'=cmd|1,\n`);
    await expect(shell.main.getByRole("status").filter({ hasText: "adds" })).toContainText("rooms.csv adds 2 rooms, 0 devices.");
    await shell.main.getByRole("button", { name: "Import it" }).click();
    await expect(shell.main).toContainText("Imported: 2 rooms, 0 devices.");
    const rooms = new RoomsPage(page);
    await open("/rooms?q=Zephyr");
    await expect(rooms.link("Zephyr")).toBeVisible();
    await expect(rooms.table.row(/Zephyr/)).toContainText("<b>Quay</b>, east");
    await open("/rooms?q=%3Dcmd");
    await expect(rooms.link("=cmd|1")).toBeVisible();
  });
});

test("the export is the list as it is filtered (P0)", async ({ page, open }) => {
  await open("/rooms?q=Cuttle");
  const shell = new Shell(page);
  const download = page.waitForEvent("download");
  await shell.main.getByRole("link", { name: "Export" }).click();
  const text = await readFile(await (await download).path(), "utf8");
  expect(text.split("\n")[0]).toMatch(/^site,name,building,floor,capacity,zone,ring,state,device/);
  expect(text).toContain(",Cuttle,");
  expect(text).not.toContain(",Ammonite,");
});

test("two admins who change one room: the slower is told, and sees the fresh state (R3, P9)", async ({ page, open, demo, browser }) => {
  test.info().annotations.push({ type: "spec", description: "R3" });
  await open("/rooms?q=Cuttle");
  const shell = new Shell(page);
  await shell.main.getByRole("link", { name: "Cuttle", exact: true }).click();
  const room = new RoomPage(page, "Cuttle");
  await room.fact("Ring").getByRole("link", { name: "Change the ring" }).click();
  const dialog = page.getByRole("dialog");
  await expect(dialog).toBeVisible();
  const other = await browser.newContext();
  const colleague = await other.newPage();
  await colleague.goto(`${demo.address}${new URL(page.url()).pathname}?do=assign`);
  await hydrated(colleague);
  await colleague.getByRole("dialog").getByLabel("Ring").selectOption("Executive");
  await colleague.getByRole("dialog").getByRole("button", { name: "Assign" }).click();
  await expect(colleague.getByRole("main")).toContainText("The room is in Executive now.");
  await other.close();
  await dialog.getByLabel("Ring").selectOption("Staging");
  await dialog.getByRole("button", { name: "Assign" }).click();
  await expect(dialog.getByRole("alert")).toContainText("Cuttle was moved to Executive by somebody else meanwhile");
  await expect(room.fact("Ring")).toContainText("Executive");
});
test.use({ expectedErrors: [/409/] });
