import { rings, total } from "../estate.ts";
import { expect, hydrated, test } from "../fixtures.ts";
import { RingsPage } from "../pages/rings.ts";

test("the rings stand in rollout order with rooms, deferment, rollout, test and completion (R16, R5, R6)", async ({ page }) => {
  await page.goto(RingsPage.path);
  const { table } = new RingsPage(page);
  await expect(table.rows.getByRole("rowheader")).toContainText([...rings.map(({ name }) => name), "Total"]);

  for (const ring of rings) {
    const row = table.row(new RegExp(ring.name));
    const number = async (head: RegExp) => Number.parseInt(await table.cell(row, head), 10);
    expect(
      {
        name: ring.name,
        rooms: await number(RingsPage.heads.rooms),
        deferment: await number(RingsPage.heads.deferment),
        rollout: await number(RingsPage.heads.rollout),
        test: await number(RingsPage.heads.test),
        completion: await number(RingsPage.heads.completion),
      },
    ).toEqual(ring);
  }
});

test("the Total row adds up rooms, rollout, test and completion (R16, R7)", async ({ page }) => {
  await page.goto(RingsPage.path);
  const { table } = new RingsPage(page);
  const row = table.row(/^\s*Total/);
  const number = async (head: RegExp) => Number.parseInt(await table.cell(row, head), 10);
  expect({
    rooms: await number(RingsPage.heads.rooms),
    rollout: await number(RingsPage.heads.rollout),
    test: await number(RingsPage.heads.test),
    completion: await number(RingsPage.heads.completion),
  }).toEqual(total);
});

test("the picture of the plan says how many of the 60 days are set and how many remain (R8, P6)", async ({ page }) => {
  await page.goto(RingsPage.path);
  await expect(new RingsPage(page).main.getByRole("img", { name: /35 of 60 days, 25 remain/ })).toBeVisible();
});

test("every ring opens to show its rooms (R16)", async ({ page }) => {
  await page.goto(RingsPage.path);
  await hydrated(page);
  const { table, main } = new RingsPage(page);
  await table.row(/Pilot floors/).getByRole("link").first().click();
  await expect(main).toContainText("Pilot floors");
  await expect(main.getByText("12 rooms", { exact: true })).toBeVisible();
  await page.goBack();
  await expect(page).toHaveURL(RingsPage.path);
});
