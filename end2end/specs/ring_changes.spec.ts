// Adding, editing and deleting rings, and moving rooms (P6, R1–R14), with script and without; and pages that hear of it (P9).

import { expect, expectAccessible, hydrated } from "../fixtures.ts";
import { bothWays, test } from "../own_demo.ts";
import { Shell, Table } from "../pages/shell.ts";
import { UpdatesPage } from "../pages/updates.ts";
import { active } from "../estate.ts";

bothWays([/422|409/], (withScript) => {
  test("a ring is added within the 60 days, edited and deleted (R2, R4, R8, R9, R11)", async ({ page, open }) => {
    await open("/updates/rings");
    const shell = new Shell(page);
    const dialog = page.getByRole("dialog");
    const rings = new Table(shell.main.getByRole("table", { name: "Rings in order" }));
    await shell.main.getByRole("link", { name: "Add a ring" }).click();
    await expect(dialog).toContainText("Days set by other rings35 days");
    await expect(dialog).toContainText("Remaining days25 days");
    await dialog.getByLabel("Name", { exact: true }).fill("Event spaces");
    await dialog.getByLabel("Order").selectOption("7");
    await dialog.getByLabel("Rollout duration, days").fill("26");
    if (withScript) {
      await expect(dialog.getByRole("status")).toHaveText("1 day too many");
      await expectAccessible(page);
    }
    await dialog.getByRole("button", { name: "Add the ring" }).click();
    await expect(page.getByText("rollout and test period need 26 days; 25 of the 60 are left").first()).toBeVisible();
    await expect(dialog.getByLabel("Name", { exact: true })).toHaveValue("Event spaces");
    await dialog.getByLabel("Rollout duration, days").fill("5");
    await dialog.getByLabel("Test period, days").fill("2");
    await dialog.getByRole("button", { name: "Add the ring" }).click();
    await expect(shell.main).toContainText("The ring Event spaces was added.");
    await expect(rings.row(/Event spaces/)).toContainText("7 days");

    await shell.main.getByRole("link", { name: "Edit Event spaces" }).click();
    await dialog.getByLabel("Test period, days").fill("4");
    await dialog.getByRole("button", { name: "Save" }).click();
    await expect(rings.row(/Event spaces/)).toContainText("9 days");

    await shell.main.getByRole("link", { name: "Delete Event spaces" }).click();
    // What was planned before the ring was there is planned again.
    await expect(dialog.getByRole("heading", { name: "Dates of running updates" })).toBeVisible();
    await dialog.getByRole("button", { name: "Delete the ring" }).click();
    await expect(shell.main).toContainText("The ring was deleted.");
    await expect(rings.row(/Event spaces/)).toHaveCount(0);
  });

  test("chosen rooms are moved to another ring, and the one they are in is no target (R12)", async ({ page, open }) => {
    await open("/updates/rings");
    const shell = new Shell(page);
    await shell.main.getByRole("link", { name: "General", exact: true }).click();
    await expect(page).toHaveURL(/ring=/);
    const dialog = page.getByRole("dialog");
    const choices = shell.main.getByRole("checkbox", { name: /^Choose / });
    const first = (await choices.nth(0).getAttribute("aria-label"))?.replace("Choose ", "") ?? "";
    await choices.nth(0).check();
    await choices.nth(1).check();
    await shell.main.getByRole("button", { name: "Move chosen rooms" }).click();
    await expect(dialog.getByRole("heading", { level: 2 })).toHaveText("Move 2 rooms");
    const targets = dialog.getByLabel("Target ring").getByRole("option");
    await expect(targets.filter({ hasText: /^General$/ })).toHaveCount(0);
    await dialog.getByLabel("Target ring").selectOption("Executive");
    if (withScript) {
      await expect(dialog).toContainText(/reaches Executive on \w+ \d+ \w+.* \(London\)|has already reached Executive/);
      await expectAccessible(page);
    }
    await dialog.getByRole("button", { name: "Move rooms" }).click();
    await expect(shell.main).toContainText("2 rooms were moved.");
    await expect(shell.main.getByRole("link", { name: first, exact: true })).toBeVisible();
  });

  test("all rooms that match are moved at once (R12, P4)", async ({ page, open }) => {
    await open("/updates/rooms");
    const shell = new Shell(page);
    await expect(shell.main.getByLabel(/^All 120 that match$/)).toBeVisible();
    await shell.filter("Ring").selectOption("Pilot floors");
    if (!withScript) await shell.main.getByRole("button", { name: "Apply" }).click();
    await expect(page).toHaveURL(/ring=/);
    await open("/updates/rooms");
    const dialog = page.getByRole("dialog");
    await shell.main.getByLabel(/^All 120 that match$/).check();
    await shell.main.getByRole("button", { name: "Move chosen rooms" }).click();
    await expect(dialog.getByRole("heading", { level: 2 })).toHaveText("Move 120 rooms");
    await expect(dialog).toContainText("and 108 more.");
    await dialog.getByLabel("Target ring").selectOption("Executive");
    await dialog.getByRole("button", { name: "Move rooms" }).click();
    await expect(shell.main).toContainText(/\d+ rooms were moved\. \d+ were already in the ring\./);
    await expect(shell.main).toContainText("120 rooms");
  });
});

test("the dates of every running update follow what is typed, before it is saved (R10, K9)", async ({ page, open }) => {
  await open("/updates/rings");
  const shell = new Shell(page);
  const dialog = page.getByRole("dialog");
  await shell.main.getByRole("link", { name: "Edit Executive" }).click();
  const dates = dialog.locator(".preview");
  await expect(dates).toContainText("No date of a running update changes.");
  const days = dialog.getByLabel("Test period, days");
  const before = Number(await days.inputValue());
  await days.fill(String(before + 3));
  await expect(dates).toContainText(/Of \d+ running updates?, \d+ ha(s|ve) other dates\. Dates are those of London\./);
  await expect(dates).toContainText(/Executive\w+ \d+ \w+ to \w+ \d+ \w+( \d{4})?, tests until .*instead of \w+ \d+/);
  await expectAccessible(page);
  const said = await dates.locator(".effect h4 .sub").first().textContent();
  const [, ends] = /ends (.*) instead of/.exec(said ?? "") ?? [];
  expect(ends, "the date is exact").toMatch(/^\w{3} \d+ \w{3}( \d{4})?$/);
  const title = (await dates.locator(".effect h4").first().textContent())?.replace(said ?? "", "").trim() ?? "";
  await dialog.getByRole("button", { name: "Save" }).click();
  await expect(shell.main).toContainText("The ring Executive was changed.");
  // The update's own page has the date that was promised.
  await open("/updates");
  await shell.main.getByRole("link", { name: title, exact: true }).first().click();
  await expect(shell.main).toContainText(ends ?? "");
});

test("what is ticked before the page's script is there is chosen all the same (P8)", async ({ page, demo }) => {
  let go = () => {};
  const later = new Promise<void>((resolve) => (go = resolve));
  await page.route("**/*.wasm", async (route) => {
    await later;
    await route.continue();
  });
  await page.goto(`${demo.address}/updates/rooms`);
  const shell = new Shell(page);
  const box = shell.main.getByRole("checkbox", { name: /^Choose / }).nth(2);
  await box.check();
  go();
  await hydrated(page);
  await expect(shell.main.getByText("1 room chosen")).toBeVisible();
  await expect(box).toBeChecked();
});

test("nothing chosen is not everything (K5, R12)", async ({ page, open }) => {
  const shell = new Shell(page);
  const dialog = page.getByRole("dialog");
  await open("/updates/rooms");
  await shell.main.getByRole("button", { name: "Move chosen rooms" }).click();
  await expect(dialog).toContainText("Choose rooms in the list first.");
  await dialog.getByRole("link", { name: "Close" }).last().click();
  await open(UpdatesPage.path);
  await new UpdatesPage(page).link(active.roomsApp.row).click();
  await shell.main.getByRole("button", { name: "Force chosen rooms" }).click();
  await expect(dialog).toContainText("Choose rooms in the list first.");
});

test("what is chosen stays over the pages of the list, and goes with the filter (R12, P4)", async ({ page, open }) => {
  await open("/updates/rooms");
  const shell = new Shell(page);
  const dialog = page.getByRole("dialog");
  const choices = shell.main.getByRole("checkbox", { name: /^Choose / });
  await choices.nth(0).check();
  await shell.main.getByRole("link", { name: /^Next/ }).click();
  await expect(page).toHaveURL(/after=/);
  await expect(choices.nth(0), "the rows of the next page are there").not.toBeChecked();
  await expect(shell.main.getByText("1 room chosen")).toBeVisible();
  await choices.nth(2).check();
  await expect(shell.main.getByText("2 rooms chosen")).toBeVisible();
  await shell.main.getByRole("button", { name: "Move chosen rooms" }).click();
  await expect(dialog.getByRole("heading", { level: 2 })).toHaveText("Move 2 rooms");
  await dialog.getByRole("link", { name: "Cancel" }).click();
  await expect(page, "the list is where it was").toHaveURL(/after=/);
  await expect(shell.main.getByText("2 rooms chosen")).toBeVisible();
  await shell.main.getByRole("button", { name: "Choose none" }).click();
  await expect(shell.main.getByText("None chosen")).toBeVisible();
  await shell.main.getByRole("button", { name: "Choose this page" }).click();
  await expect(shell.main.getByText("50 rooms chosen")).toBeVisible();
  await shell.filter("Ring").selectOption("Executive");
  await expect(shell.main.getByText("None chosen")).toBeVisible();
});

test.describe("two people", () => {
  test.describe("who edit one ring", () => {
    test.use({ expectedErrors: [/409/] });

    test("the slower is told, and sees the fresh state (R10)", async ({ page, browser, open }) => {
      await open("/updates/rings");
      const shell = new Shell(page);
      const rings = new Table(shell.main.getByRole("table", { name: "Rings in order" }));
      await shell.main.getByRole("link", { name: "Edit Pilot floors" }).click();
      const dialog = page.getByRole("dialog");
      await expect(dialog.getByLabel("Test period, days")).toHaveValue("4");
      const other = await browser.newContext();
      const colleague = await other.newPage();
      await colleague.goto(page.url());
      await hydrated(colleague);
      await colleague.getByRole("dialog").getByLabel("Test period, days").fill("6");
      await colleague.getByRole("dialog").getByRole("button", { name: "Save" }).click();
      await expect(colleague.getByRole("main")).toContainText("9 days");
      await other.close();
      await dialog.getByLabel("Test period, days").fill("5");
      await dialog.getByRole("button", { name: "Save" }).click();
      await expect(dialog.getByRole("alert")).toContainText("Pilot floors was changed by somebody else meanwhile");
      await expect(dialog.getByLabel("Test period, days"), "nothing typed is lost").toHaveValue("5");
      await expect(rings.row(/Pilot floors/)).toContainText("9 days");
    });
  });

  test("what one changes shows on the other's open page within two seconds, and a dialog stays open (P9)", async ({
    page,
    browser,
    demo,
    open,
  }) => {
    await open("/updates/rings");
    const shell = new Shell(page);
    const rings = new Table(shell.main.getByRole("table", { name: "Rings in order" }));
    await shell.main.getByRole("link", { name: "Add a ring" }).click();
    await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill("Half a name");
    // The page has heard where the database stands.
    await page.waitForTimeout(1500);
    const other = await browser.newContext();
    const colleague = await other.newPage();
    await colleague.goto(`${demo.address}/updates/rings?do=add`);
    await hydrated(colleague);
    const dialog = colleague.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("Event spaces");
    await dialog.getByLabel("Order").selectOption("7");
    await dialog.getByRole("button", { name: "Add the ring" }).click();
    await expect(rings.row(/Event spaces/)).toBeVisible({ timeout: 2_500 });
    await expect(page.getByRole("dialog").getByLabel("Name", { exact: true })).toHaveValue("Half a name");
    await other.close();
  });

  test("a page that only began to leave, as for a download, listens again and has missed nothing (P9)", async ({
    page,
    browser,
    demo,
    open,
  }) => {
    let streams = 0;
    page.on("request", (request) => {
      if (request.url() === `${demo.address}/events`) streams += 1;
    });
    await open("/updates/rings");
    await expect.poll(() => streams).toBe(1);
    await page.evaluate(() => window.dispatchEvent(new Event("beforeunload")));
    const other = await browser.newContext();
    const colleague = await other.newPage();
    await colleague.goto(`${demo.address}/updates/rings`);
    await colleague.getByRole("link", { name: "Edit Pilot floors" }).click();
    await colleague.getByRole("dialog").getByLabel("Test period, days").fill("5");
    await colleague.getByRole("dialog").getByRole("button", { name: "Save" }).click();
    const rings = new Table(new Shell(page).main.getByRole("table", { name: "Rings in order" }));
    await expect(rings.row(/Pilot floors/)).toContainText("8 days", { timeout: 15_000 });
    expect(streams, "it has closed the first and opened another").toBe(2);
    await other.close();
  });
});
