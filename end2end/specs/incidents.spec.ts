import { roomsWithTickets } from "../estate.ts";
import { expect, hydrated, test, withoutReload } from "../fixtures.ts";
import { IncidentsPage } from "../pages/incidents.ts";

test("Incidents lists the tickets with severity, state and time of opening (P0, I1)", async ({ page }) => {
  await page.goto(IncidentsPage.path);
  const { table } = new IncidentsPage(page);
  const first = table.rows.first();
  expect(await table.cell(first, /^severity/i)).toMatch(/Critical|Important|Warning|Recommendation/);
  expect(await table.cell(first, /^state/i)).toMatch(/Needs action|Investigating/);
  expect(await table.cell(first, /^opened$/i)).toMatch(/\d{1,2} (Sep|Oct)/);
});

test("a room whose update failed has a ticket that names it (K1)", async ({ page }) => {
  await page.goto(IncidentsPage.path);
  const incidents = new IncidentsPage(page);
  for (const room of roomsWithTickets) {
    await expect(incidents.about(room).first()).toBeVisible();
  }
});

test("the severity filter narrows the list, stays in the address and is undone by the back button (I1, P8)", async ({ page }) => {
  await page.goto(IncidentsPage.path);
  await hydrated(page);
  const incidents = new IncidentsPage(page);
  const before = await incidents.table.rows.count();

  await withoutReload(page, async () => {
    await incidents.filter("Severity").selectOption("Important");
    await expect(page).toHaveURL(/[?&]severity=/);
    await expect(incidents.about("Warning")).toHaveCount(0);
    await expect(incidents.table.rows.first()).toContainText("Important");
    await page.goBack();
    await expect(page).toHaveURL(IncidentsPage.path);
    await expect(incidents.table.rows).toHaveCount(before);
  });
});
