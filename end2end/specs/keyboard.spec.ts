// The four flows of every night, without a mouse (P10): moving rooms, adding a ring, pausing, forcing. Each press is one that a person makes, and
// whatever has the focus shows that it has it.

import { type Locator, type Page } from "@playwright/test";

import { active } from "../estate.ts";
import { expect } from "../fixtures.ts";
import { test } from "../own_demo.ts";
import { Shell } from "../pages/shell.ts";
import { UpdatesPage } from "../pages/updates.ts";

/** Presses Tab until this has the focus. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let presses = 0; presses < 150; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) {
      await expectVisibleFocus(page);
      return;
    }
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab does not lead to ${target}`);
}

/** What has the focus is in the window and has an outline, or what stands around it has. */
async function expectVisibleFocus(page: Page): Promise<void> {
  const shown = await page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement)) return "nothing has the focus";
    const { top, bottom } = element.getBoundingClientRect();
    if (bottom < 0 || top > window.innerHeight) return "it is outside of the window";
    for (let around: Element | null = element; around && around !== document.body; around = around.parentElement) {
      const style = getComputedStyle(around);
      if (style.outlineStyle !== "none" && style.outlineWidth !== "0px") return "";
      if (style.boxShadow !== "none") return "";
    }
    return `${element.outerHTML.slice(0, 120)} does not show that it has the focus`;
  });
  expect(shown).toBe("");
}

test("rooms are moved (R12)", async ({ page, open }) => {
  await open("/updates/rooms");
  const shell = new Shell(page);
  const dialog = page.getByRole("dialog");
  const choices = shell.main.getByRole("checkbox", { name: /^Choose / });
  await tabTo(page, choices.nth(0));
  await page.keyboard.press("Space");
  await tabTo(page, choices.nth(1));
  await page.keyboard.press("Space");
  await expect(shell.main.getByText("2 rooms chosen")).toBeVisible();
  await tabTo(page, shell.main.getByRole("button", { name: "Move chosen rooms" }));
  await page.keyboard.press("Enter");
  await expect(dialog.getByRole("heading", { level: 2 })).toHaveText("Move 2 rooms");
  await expect(dialog.getByLabel("Target ring"), "the first field has the focus").toBeFocused();
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await tabTo(page, shell.main.getByRole("button", { name: "Move chosen rooms" }));
  await page.keyboard.press("Enter");
  await expect(dialog.getByLabel("Target ring")).toBeFocused();
  // The first two rooms are in Executive and in General.
  await page.keyboard.type("Stag");
  await expect(dialog).toContainText(/has already reached Staging/);
  await tabTo(page, dialog.getByRole("button", { name: "Move rooms" }));
  await page.keyboard.press("Enter");
  await expect(shell.main).toContainText("2 rooms were moved.");
});

test("a ring is added (R2)", async ({ page, open }) => {
  await open("/updates/rings");
  const shell = new Shell(page);
  const dialog = page.getByRole("dialog");
  const add = shell.main.getByRole("link", { name: "Add a ring" });
  await tabTo(page, add);
  await page.keyboard.press("Enter");
  const name = dialog.getByLabel("Name", { exact: true });
  await tabTo(page, name);
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect(add, "the focus goes back to where it came from").toBeFocused();
  await page.keyboard.press("Enter");
  await tabTo(page, name);
  await page.keyboard.type("Event spaces");
  await tabTo(page, dialog.getByLabel("Order"));
  await page.keyboard.type("7");
  await tabTo(page, dialog.getByLabel("Rollout duration, days"));
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.type("5");
  await page.keyboard.press("Enter");
  await expect(shell.main).toContainText("The ring Event spaces was added.");
});

test("an update is paused, and its issue left out (K2)", async ({ page, open }) => {
  await open(UpdatesPage.path);
  const shell = new Shell(page);
  const dialog = page.getByRole("dialog");
  await tabTo(page, new UpdatesPage(page).link(active.roomsApp.row));
  await page.keyboard.press("Enter");
  await tabTo(page, shell.main.getByRole("link", { name: "Pause", exact: true }));
  await page.keyboard.press("Enter");
  await expect(dialog.getByLabel("Reason"), "the first field has the focus").toBeFocused();
  await page.keyboard.type("Two boards report a black screen");
  await tabTo(page, dialog.getByRole("button", { name: "Pause update" }));
  await page.keyboard.press("Enter");
  await expect(dialog.getByRole("heading", { level: 2 })).toHaveText("It is paused. Record an issue?");
  await page.keyboard.press("Escape");
  await expect(dialog).toHaveCount(0);
  await expect(shell.main).toContainText("Paused by Visitor");
});

test("a room is forced (K5)", async ({ page, open }) => {
  await open(UpdatesPage.path);
  const shell = new Shell(page);
  const dialog = page.getByRole("dialog");
  await tabTo(page, new UpdatesPage(page).link(active.roomsApp.row));
  await page.keyboard.press("Enter");
  const scheduled = shell.main.getByRole("link", { name: /^Scheduled \d+$/ });
  await tabTo(page, scheduled);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/status=scheduled/);
  await expect(scheduled).toHaveAttribute("aria-current", "true");
  await tabTo(page, shell.main.getByRole("checkbox", { name: /^Choose / }).first());
  await page.keyboard.press("Space");
  await tabTo(page, shell.main.getByRole("button", { name: "Force chosen rooms" }));
  await page.keyboard.press("Enter");
  await tabTo(page, dialog.getByLabel("When next available"));
  await page.keyboard.press("ArrowDown");
  await expect(dialog.getByLabel("Immediately")).toBeChecked();
  await tabTo(page, dialog.getByLabel("Reason"));
  await page.keyboard.type("The board meets here");
  await tabTo(page, dialog.getByRole("button", { name: "Force 1 room" }));
  await page.keyboard.press("Enter");
  await expect(shell.main).toContainText("The room starts at once.");
});
