// Pausing, resuming, retrying, forcing, recording issues (K2–K6, I1–I3): with script and without, on a demo of the test's own.

import { expect, expectAccessible, hydrated, test } from "../fixtures.ts";
import { OwnDemo } from "../pages/own_server.ts";
import { Shell } from "../pages/shell.ts";
import { UpdatesPage } from "../pages/updates.ts";
import { active } from "../estate.ts";

for (const javaScriptEnabled of [true, false]) {
  test.describe(javaScriptEnabled ? "with script" : "without script", () => {
    // Chromium names the status of an answer to a form as an error.
    test.use({ javaScriptEnabled, expectedErrors: [/422/] });
    let demo: OwnDemo;
    test.beforeEach(async () => {
      demo = await OwnDemo.start();
    });
    test.afterEach(async ({ page }) => {
      await page.goto("about:blank");
      await demo.stop();
    });

    test("an update is paused at once, an issue offered, and it goes on with a reason (K2, K3)", async ({ page }) => {
      await page.goto(`${demo.address}${UpdatesPage.path}`);
      if (javaScriptEnabled) await hydrated(page);
      await new UpdatesPage(page).link(active.roomsApp.row).click();
      const shell = new Shell(page);
      const dialog = page.getByRole("dialog");
      await shell.main.getByRole("link", { name: "Pause", exact: true }).click();
      await expect(dialog).toContainText("No further install of it starts");
      if (javaScriptEnabled) await expectAccessible(page);
      await dialog.getByLabel("Reason").fill("Two boards report a black screen");
      await dialog.getByRole("button", { name: "Pause update" }).click();

      await expect(dialog.getByRole("heading", { level: 2 })).toHaveText("It is paused. Record an issue?");
      await expect(shell.main).toContainText("Paused");
      await expect(dialog.getByLabel("Title")).toHaveValue(/paused in /);
      if (javaScriptEnabled) await expectAccessible(page);
      await dialog.getByLabel("What happened").fill("The screen stays black after the restart.");
      await expect(dialog.getByLabel("Category"), "nothing is filed by default").toHaveValue("");
      await dialog.getByLabel("Category").selectOption("Video");
      await dialog.getByLabel("Rooms", { exact: true }).fill("No such room");
      await dialog.getByRole("button", { name: "Record" }).click();
      await expect(page.getByText('there is no room "No such room"').first()).toBeVisible();
      await expect(dialog.getByLabel("What happened")).toHaveValue("The screen stays black after the restart.");
      await dialog.getByLabel("Rooms", { exact: true }).fill("Cuttle");
      await dialog.getByRole("button", { name: "Record" }).click();
      await expect(page).toHaveURL(/\/incidents\/\d+$/);
      await expect(shell.main).toContainText("was recorded");
      await expect(shell.main.getByRole("link", { name: "Cuttle", exact: true })).toBeVisible();

      await shell.main.getByRole("textbox", { name: "Note" }).fill("A technician is on the way.");
      await shell.main.getByRole("button", { name: "Add the note" }).click();
      await expect(shell.main).toContainText("A technician is on the way.");
      await shell.main.getByRole("button", { name: "Investigate" }).click();
      await expect(shell.main).toContainText("Investigating");
      await shell.main.getByRole("link", { name: "Resolve" }).click();
      await dialog.getByLabel("What was done").fill("A new cable.");
      await dialog.getByLabel("Cause").selectOption("Hardware");
      await dialog.getByRole("button", { name: "Resolve" }).click();
      await expect(shell.main).toContainText("Resolved (Hardware): A new cable.");

      await shell.main.getByRole("complementary").getByRole("link", { name: active.roomsApp.row }).click();
      await shell.main.getByRole("link", { name: "Resume", exact: true }).click();
      await expect(dialog).toContainText("Dates if it is resumed today");
      await dialog.getByRole("button", { name: "Resume update" }).click();
      await dialog.getByLabel("Reason").fill("The cable was it");
      await dialog.getByRole("button", { name: "Resume update" }).click();
      await expect(shell.main).toContainText("The update was resumed.");
      await expect(shell.main.getByRole("link", { name: "Pause", exact: true })).toBeVisible();
    });

    test("a pause may end by itself on a date (K3)", async ({ page }) => {
      await page.goto(`${demo.address}${UpdatesPage.path}`);
      if (javaScriptEnabled) await hydrated(page);
      await new UpdatesPage(page).link(active.roomsApp.row).click();
      const shell = new Shell(page);
      const dialog = page.getByRole("dialog");
      await shell.main.getByRole("link", { name: "Pause", exact: true }).click();
      await dialog.getByLabel("Reason").fill("A trade fair");
      await dialog.getByLabel("Resume automatically on").fill("2001-01-01");
      await dialog.getByRole("button", { name: "Pause update" }).click();
      await expect(page.getByText(/choose a date after today, .*, or leave it empty/).first()).toBeVisible();
      await expect(dialog.getByLabel("Reason"), "nothing typed is lost").toHaveValue("A trade fair");
      await dialog.getByLabel("Resume automatically on").fill("2024-10-30");
      await dialog.getByRole("button", { name: "Pause update" }).click();
      await expect(shell.main).toContainText(
        "Paused by Visitor on Thu 24 Oct",
      );
      await expect(shell.main).toContainText("A trade fair. It resumes automatically on Wed 30 Oct (London).");

      // No issue is recorded now. What waits stands after the pause in the picture too.
      await dialog.getByRole("link", { name: "Cancel" }).click();
      const general = shell.main.getByRole("img", { name: /^General: Paused/ });
      const paused = await general.locator(".tl-paused").boundingBox();
      const waiting = await general.locator(".t-wait:not(.t-none)").first().boundingBox();
      expect(waiting?.x ?? 0).toBeGreaterThan((paused?.x ?? 0) + (paused?.width ?? 0) - 1);

      // Who resumes it today does not wait for that date.
      await shell.main.getByRole("link", { name: "Resume", exact: true }).click();
      await expect(dialog).toContainText("The pause began today, so no date moves.");
      await expect(dialog.getByRole("listitem").filter({ hasText: "General" })).toContainText("Wed 16 Oct – Fri 25 Oct");
      await dialog.getByRole("link", { name: "Cancel" }).click();

      // The date moves, and goes.
      await shell.main.getByRole("link", { name: "Set resume date" }).click();
      await expect(dialog).toContainText("It resumes automatically on Wed 30 Oct.");
      await expect(dialog.getByLabel("Resume automatically on")).toHaveValue("2024-10-30");
      if (javaScriptEnabled) await expectAccessible(page);
      await dialog.getByLabel("Resume automatically on").fill("2024-11-04");
      await dialog.getByRole("button", { name: "Set resume date" }).click();
      await expect(dialog.getByLabel("Resume automatically on"), "nothing typed is lost").toHaveValue("2024-11-04");
      await dialog.getByLabel("Reason").fill("The fair is longer");
      await dialog.getByRole("button", { name: "Set resume date" }).click();
      await expect(shell.main).toContainText("The update resumes automatically on Mon 4 Nov.");
      await expect(shell.main).toContainText("A trade fair. It resumes automatically on Mon 4 Nov (London).");
      await shell.main.getByRole("link", { name: "Set resume date" }).click();
      await dialog.getByLabel("Resume automatically on").fill("");
      await dialog.getByLabel("Reason").fill("Nobody knows");
      await dialog.getByRole("button", { name: "Set resume date" }).click();
      await expect(shell.main).toContainText("The pause has no resume date any more.");
      await expect(shell.main).not.toContainText("It resumes automatically");
    });

    test("chosen rooms are forced, and it is said which are left out and why (K5, K6)", async ({ page }) => {
      await page.goto(`${demo.address}${UpdatesPage.path}`);
      if (javaScriptEnabled) await hydrated(page);
      await new UpdatesPage(page).link(active.roomsApp.row).click();
      const shell = new Shell(page);
      const dialog = page.getByRole("dialog");
      const scheduled = shell.main.getByRole("link", { name: /^Scheduled \d+$/ });
      await scheduled.click();
      // The rows of before are gone by then.
      await expect(scheduled).toHaveAttribute("aria-current", "true");
      const choices = shell.main.getByRole("checkbox", { name: /^Choose / });
      await choices.nth(0).check();
      await choices.nth(1).check();
      await shell.main.getByRole("button", { name: "Force chosen rooms" }).click();
      await expect(dialog).toContainText("2 of the 2 rooms that you have chosen can be forced.");
      await expect(dialog).toContainText("Not a regular way to update.");
      if (javaScriptEnabled) {
        await hydrated(page);
        await expectAccessible(page);
      }
      await dialog.getByLabel("Immediately").check();
      await dialog.getByLabel("Reason").fill("The board meets here");
      await dialog.getByRole("button", { name: "Force 2 rooms" }).click();
      await expect(shell.main).toContainText("2 rooms are forced; each starts at once.");
      await expect(shell.main).toContainText("Forced by Visitor");
    });

    test("a failed room is retried (K4)", async ({ page }) => {
      await page.goto(`${demo.address}${UpdatesPage.path}`);
      if (javaScriptEnabled) await hydrated(page);
      await new UpdatesPage(page).link(active.roomsApp.row).click();
      const shell = new Shell(page);
      await shell.main.getByRole("button", { name: /^Retry / }).first().click();
      await expect(shell.main).toContainText("The room goes back into its next window.");
      await expect(shell.main.getByRole("button", { name: /^Retry / })).toHaveCount(0);
    });

    test("all failed rooms are retried (K4)", async ({ page }) => {
      await page.goto(`${demo.address}${UpdatesPage.path}`);
      if (javaScriptEnabled) await hydrated(page);
      await new UpdatesPage(page).link(active.roomsApp.row).click();
      const shell = new Shell(page);
      const dialog = page.getByRole("dialog");
      await shell.main.getByRole("link", { name: "Retry all failed" }).click();
      await expect(dialog).toContainText(/Attempt \d/);
      await dialog.getByRole("button", { name: /^Retry \d+ rooms?$/ }).click();
      await expect(shell.main).toContainText(/go(es)? back into the next window\./);
      await expect(shell.main.getByRole("link", { name: "Retry all failed" })).toHaveCount(0);
    });
  });
}
