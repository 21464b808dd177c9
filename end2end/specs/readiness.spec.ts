// What rooms need so that updates go well, new rooms, and how long versions are supported (C1, C4, C8, L1, L5, S13).

import { readFile } from "node:fs/promises";
import { expect, expectAccessible, expectNoSidewaysScrolling, hydrated, test } from "../fixtures.ts";
import { bothWays, test as ownTest } from "../own_demo.ts";
import { addressOfRoom } from "../pages/rooms.ts";
import { Shell, Table } from "../pages/shell.ts";

test("Home leads to readiness and to support within two clicks (C8, L5)", async ({ page }) => {
  for (const name of ["Readiness", "Support"]) {
    await page.goto("/");
    await hydrated(page);
    const shell = new Shell(page);
    await shell.mainNavigation.getByRole("link", { name: "Rooms" }).click();
    await shell.main.getByRole("link", { name, exact: true }).click();
    await expect(shell.title).toHaveText(name);
  }
});

test("a number of the table of checks leads to as many rooms, each with its reason (C1, C7, C8)", async ({ page }) => {
  await page.goto("/rooms/readiness");
  await hydrated(page);
  const shell = new Shell(page);
  const checks = new Table(page.getByRole("table", { name: "Rooms by check and result" }));
  const number = checks.row(/OS updates/i).getByRole("link", { name: /: fail: /i });
  const rooms = Number(await number.innerText());
  expect(rooms).toBeGreaterThan(0);
  await number.click();
  await expect(page).toHaveURL("/rooms/readiness?check=os_updates&result=fail");
  await expect(shell.main.getByRole("status").first()).toContainText(`${rooms} room`);
  const found = new Table(page.getByRole("table", { name: "Rooms", exact: true }));
  await expect(found.rows).toHaveCount(Math.min(rooms, 50));
  for (const row of await found.rows.all()) await expect(row).toContainText(/OS updates: fail/i);
});

test("a room says by which fact a check fails and what to do (C1, C7, S13)", async ({ page }) => {
  await page.goto(await addressOfRoom(page, "Cuttle"));
  const readiness = page.getByRole("region", { name: "Readiness" });
  const failed = readiness.getByRole("listitem").filter({ hasText: /OS updates/i });
  await expect(failed).toContainText("Fail");
  await expect(failed).toContainText(/Since \w+ \d+ Oct/);
  await expect(failed).toContainText(/Reported by [\w-]+\./);
  await expect(failed).toContainText("It keeps updates of the operating system away until a report passes or an admin waives it.");
  await expect(new Shell(page).main).toContainText("Operating system updates are not installed here");
  await expect(readiness.getByRole("listitem").filter({ hasText: "Base image" })).toContainText("Pass");
});

test("the lists of readiness and of support are exported as they are filtered (C8, L5)", async ({ page }) => {
  for (const { path, head } of [
    { path: "/rooms/readiness?check=os_updates&result=fail", head: /^site,/ },
    { path: "/rooms/support?group=all", head: /^site,/ },
  ]) {
    await page.goto(path);
    const download = page.waitForEvent("download");
    await new Shell(page).main.getByRole("link", { name: "Export" }).click();
    const text = await readFile(await (await download).path(), "utf8");
    expect(text.split("\n")[0]).toMatch(head);
    expect(text.split("\n").length).toBeGreaterThan(2);
  }
});

test("support is counted by version today, and on a past day with what was known then (L5)", async ({ page }) => {
  await page.goto("/rooms/support?group=all");
  const shell = new Shell(page);
  const versions = new Table(page.getByRole("table", { name: "Versions of Teams Rooms app on Windows" }));
  await expect(versions.row("5.1.28.0")).toContainText(/Supported|Ends within 60 days|Out of support/);
  // What the rooms had before the demo begins follows from the rollouts that ran then.
  await page.goto("/rooms/support?group=all&date=2024-09-20");
  await expect(shell.main).toContainText(/Fri 20 Sep/);
  await expect(versions.row("5.1.28.0")).toContainText(/Supported|Ends within 60 days/);
  // Before the first of them nothing was known.
  await page.goto("/rooms/support?group=all&date=2024-05-20");
  await expect(shell.main).toContainText(/Mon 20 May/);
  await expect(versions.root).toHaveCount(0);
});

test("who still has a version is a click away, on the page and in the file (L5, P16)", async ({ page }) => {
  await page.goto("/rooms/support");
  await hydrated(page);
  const shell = new Shell(page);
  const versions = new Table(page.getByRole("table", { name: "Versions of Teams Rooms app on Windows" }));
  const number = versions.row("5.1.28.0").getByRole("link", { name: /5\.1\.28\.0: \d+ rooms?$/ });
  await number.click();
  await expect(page).toHaveURL(/version=5\.1\.28\.0/);
  await expect(shell.main).toContainText("Rooms with Teams Rooms app on Windows 5.1.28.0.");
  const rooms = Number(await number.innerText());
  await expect(shell.main.getByRole("status").first()).toContainText(`${rooms} room`);
  const found = new Table(page.getByRole("table", { name: "Rooms", exact: true }));
  await expect(found.rows).toHaveCount(Math.min(rooms, 50));
  for (const row of await found.rows.all()) await expect(row).toContainText("5.1.28.0");
  const download = page.waitForEvent("download");
  await shell.main.getByRole("link", { name: "Export" }).click();
  const lines = (await readFile(await (await download).path(), "utf8")).trim().split("\n");
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines.slice(1)) expect(line).toContain("5.1.28.0");
  // A day applies at once, as every filter does.
  await shell.main.getByLabel("As of").fill("2024-10-20");
  await expect(page).toHaveURL(/date=2024-10-20/);
  await expect(shell.main).toContainText("As of Sun 20 Oct 2024 (London). Rooms whose devices had reported a version by the end of that day are counted.");
});

test("the profile says in words what each check demands and what follows (C2, C6)", async ({ page }) => {
  await page.goto("/settings");
  const shell = new Shell(page);
  await shell.main.getByRole("link", { name: "readiness profile" }).click();
  await expect(shell.title).toHaveText("Readiness profile");
  const demands = new Table(page.getByRole("table", { name: "What the checks demand" }));
  await expect(demands.rows).toHaveCount(8);
  await expect(demands.row("OS updates")).toContainText("Updates of the operating system are kept away.");
  await expect(demands.row("OS edition")).toContainText("The edition is one of Enterprise, IoTEnterprise");
});

test("a covered product says that nobody should install it by hand (C8)", async ({ page }) => {
  await page.goto("/portfolio/teams-rooms-app-windows");
  await expect(new Shell(page).main).toContainText("Do not install this yourself: it is deployed here.");
});

bothWays([/422|409/], (withScript) => {
  ownTest("a check is waived until a day, and the waiver is ended (C1, G5)", async ({ page, open }) => {
    await open("/rooms/readiness?check=os_updates&result=fail");
    const shell = new Shell(page);
    const dialog = page.getByRole("dialog");
    await new Table(page.getByRole("table", { name: "Rooms", exact: true })).row("Cuttle").getByRole("link").first().click();
    if (withScript) await hydrated(page);
    const readiness = page.getByRole("region", { name: "Readiness" });
    await readiness.getByRole("link", { name: "Waive OS updates" }).click();
    await dialog.getByLabel("Until").fill("2026-01-01");
    await dialog.getByLabel("Reason").fill("The image is rebuilt in November");
    if (withScript) {
      await expectAccessible(page);
      await expectNoSidewaysScrolling(page);
    }
    await dialog.getByRole("button", { name: "Waive the check" }).click();
    await expect(page.getByText(/at most 366 days ahead/).first()).toBeVisible();
    await expect(dialog.getByLabel("Reason"), "nothing typed is lost").toHaveValue("The image is rebuilt in November");
    await dialog.getByLabel("Until").fill("2024-11-30");
    await dialog.getByRole("button", { name: "Waive the check" }).click();
    await expect(shell.main).toContainText("The check OS updates is waived until Sat 30 Nov 2024.");
    const waived = readiness.getByRole("listitem").filter({ hasText: "OS updates" });
    await expect(waived).toContainText("The image is rebuilt in November");
    if (withScript) await expectAccessible(page);
    await readiness.getByRole("button", { name: "End the waiver of OS updates" }).click();
    await expect(shell.main).toContainText("The waiver of OS updates has ended.");
  });

  ownTest("software is marked as reviewed for all rooms, and the review is ended (C1, G5)", async ({ page, open }) => {
    await open("/rooms/readiness/software");
    const shell = new Shell(page);
    const list = new Table(page.getByRole("table", { name: "Reviewed software" }));
    const before = await list.rows.count();
    await shell.main.getByLabel("Name").fill("Room calendar helper");
    if (withScript) {
      await expectAccessible(page);
      await expectNoSidewaysScrolling(page);
    }
    await shell.main.getByRole("button", { name: "Mark as reviewed", exact: true }).click();
    await expect(list.row("Room calendar helper")).toBeVisible();
    await expect(list.rows).toHaveCount(before + 1);
    await list.row("Room calendar helper").getByRole("button", { name: /^End the review of/ }).click();
    await expect(list.row("Room calendar helper")).toHaveCount(0);
  });

  ownTest("a name that nobody has reviewed leads to its rooms, and is reviewed from the list (C1, P16)", async ({ page, open }) => {
    await open("/rooms/readiness/software");
    const toReview = new Table(page.getByRole("table", { name: "Software to review" }));
    const first = toReview.rows.first();
    const name = await first.getByRole("rowheader").innerText();
    const rooms = first.getByRole("link");
    const number = Number(await rooms.innerText());
    await rooms.click();
    await expect(page.getByText(`Rooms with ${name}, which nobody has reviewed.`)).toBeVisible();
    await expect(page.getByRole("status").filter({ hasText: number === 1 ? "1 room" : `${number} rooms` })).toBeVisible();
    await page.getByRole("link", { name: "Show all software" }).click();
    await toReview.row(name).getByRole("button", { name: `Mark as reviewed: ${name}` }).click();
    await expect(toReview.row(name)).toHaveCount(0);
    const reviewed = new Table(page.getByRole("table", { name: "Reviewed software" }));
    await expect(reviewed.row(name)).toBeVisible();
    if (withScript) await expectAccessible(page);
  });

  ownTest("the profile is changed, refused with what is wrong, and put back (C6, G5)", async ({ page, open }) => {
    await open("/rooms/readiness/profile");
    const shell = new Shell(page);
    await expect(shell.main).toContainText("the profile that comes with Nightshift");
    const text = shell.main.getByLabel("Profile");
    const save = shell.main.getByRole("button", { name: "Save the profile" });
    await text.fill('{ "editons": [] }');
    await save.click();
    await expect(page.getByText(/unknown field `editons`/).first()).toBeVisible();
    await expect(text, "nothing typed is lost").toHaveValue('{ "editons": [] }');
    await text.fill('{ "editions": ["Professional"] }');
    await save.click();
    await expect(shell.main).toContainText("a profile of your own");
    await expect(text).toHaveValue(/"Professional"/);
    if (withScript) {
      await expectAccessible(page);
      await expectNoSidewaysScrolling(page);
    }
    await shell.main.getByRole("button", { name: "Go back to the shipped profile" }).click();
    await expect(shell.main).toContainText("the profile that comes with Nightshift");
  });

  ownTest("rooms that are onboarding are confirmed, one by one and together (C4, C8)", async ({ page, open }) => {
    await open("/rooms/readiness?state=onboarding&result=all");
    const shell = new Shell(page);
    const dialog = page.getByRole("dialog");
    const rooms = new Table(page.getByRole("table", { name: "Rooms", exact: true }));
    const wants = rooms.rows.filter({ hasText: /confirm/i });
    expect(await wants.count()).toBeGreaterThan(1);
    const name = await wants.first().getByRole("rowheader").getByRole("link").innerText();
    for (const row of await wants.all()) await row.getByRole("checkbox").check();
    await shell.main.getByRole("button", { name: /Confirm chosen rooms/ }).or(shell.main.getByRole("link", { name: /Confirm chosen rooms/ })).first().click();
    await expect(dialog.getByRole("heading", { level: 2 })).toHaveText(/^Confirm \d+ rooms$/);
    if (withScript) {
      await expectAccessible(page);
      await expectNoSidewaysScrolling(page);
    }
    await dialog.getByRole("button", { name: "Confirm onboarding" }).click();
    await expect(shell.main).toContainText(/\d+ rooms are confirmed\./);
    await open(`/rooms?q=${encodeURIComponent(name)}&state=all`);
    await expect(shell.main.getByRole("link", { name, exact: true })).toBeVisible();
  });

  ownTest("a new room is onboarding, says what it needs, and is confirmed on its page (C4, S13)", async ({ page, open }) => {
    await open("/rooms?do=add");
    const shell = new Shell(page);
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("Zephyr");
    await dialog.getByRole("button", { name: "Add the room", exact: true }).click();
    await expect(shell.main).toContainText("The room Zephyr was added.");
    if (withScript) await hydrated(page);
    const onboarding = page.getByRole("region", { name: "Onboarding" });
    await expect(onboarding).toContainText("No updates are planned for it yet.");
    await expect(onboarding.getByRole("listitem")).toHaveCount(2);
    await onboarding.getByRole("button", { name: "Confirm onboarding" }).click();
    await expect(shell.main).toContainText("1 room is confirmed.");
    await expect(onboarding.getByRole("listitem")).toHaveCount(1);
  });
});
