// The portfolio: products, releases, their files, publishing, recalling and importing (P7, S3, S4, S9, S10, K9).

import { expect, expectAccessible, expectNoSidewaysScrolling, hydrated } from "../fixtures.ts";
import { bothWays, test } from "../own_demo.ts";
import { Shell, Table } from "../pages/shell.ts";

bothWays([/422|409/], (withScript) => {
  test("a product gets a release and a file, and is published with the dates that follow (P7, S3, K9)", async ({
    page,
    open,
  }) => {
    await open("/portfolio");
    const shell = new Shell(page);
    const dialog = page.getByRole("dialog");
    const press = async (name: string) => dialog.getByRole("button", { name, exact: true }).click();
    await shell.main.getByRole("link", { name: "Add a product" }).click();
    await dialog.getByLabel("Name", { exact: true }).fill("Harbour Dock");
    await dialog.getByLabel("Vendor").fill("Harbour");
    await dialog.getByLabel("Id", { exact: true }).fill("Harbour Dock");
    if (withScript) await expectAccessible(page);
    await press("Add the product");
    await expect(page.getByText("must be 1 to 80 characters of a-z, 0-9 and -").first()).toBeVisible();
    await dialog.getByLabel("Id", { exact: true }).fill("harbour-dock");
    await press("Add the product");
    await expect(shell.main).toContainText("The product Harbour Dock was added.");
    await expect(shell.main).toContainText("Covered");

    await shell.main.getByRole("link", { name: "Add a release" }).click();
    await dialog.getByLabel("Version", { exact: true }).fill("1.0.7");
    await dialog.getByLabel("Known issues").fill("No sound after a call");
    if (withScript) {
      await expectAccessible(page);
      await expectNoSidewaysScrolling(page);
    }
    await press("Add the release");
    await expect(shell.main).toContainText("The release 1.0.7 was added.");
    await expect(dialog.getByRole("heading", { level: 2 })).toHaveText("Files of Harbour Dock 1.0.7");
    const file = { name: "dock 1.swu", mimeType: "application/octet-stream", buffer: Buffer.from("dock 1.0.7") };
    await dialog.getByLabel("File", { exact: true }).setInputFiles(file);
    await press("Send the file");
    await expect(page.getByText(/file name: .*must be 1 to 128/).first()).toBeVisible();
    if (withScript) await hydrated(page);
    await dialog.getByLabel("File", { exact: true }).setInputFiles({ ...file, name: "dock.swu" });
    await press("Send the file");
    await expect(shell.main).toContainText("dock.swu was added.");
    if (withScript) {
      await hydrated(page);
      await expectAccessible(page);
    }
    await dialog.getByRole("button", { name: "Remove dock.swu" }).click();
    await expect(dialog).toContainText("It has no file yet.");
    await dialog.getByLabel("File", { exact: true }).setInputFiles({ ...file, name: "dock.swu" });
    await press("Send the file");
    await expect(shell.main).toContainText("dock.swu was added.");
    if (withScript) await hydrated(page);
    await expect(dialog.getByRole("button", { name: "Remove dock.swu" })).toBeVisible();
    await dialog.getByRole("link", { name: "Close" }).last().click();
    await expect(dialog).toHaveCount(0);

    const releases = new Table(shell.main.getByRole("table", { name: "Releases of Harbour Dock" }));
    await expect(releases.row(/1\.0\.7/)).toContainText("Not published");
    await releases.row(/1\.0\.7/).getByRole("link", { name: "Publish 1.0.7" }).click();
    await expect(dialog).toContainText("It starts on Wed 30 Oct");
    await expect(dialog).toContainText("Executive");
    if (withScript) {
      await dialog.getByLabel("Severity").selectOption("critical");
      await expect(dialog).toContainText("It starts on Thu 24 Oct");
      await expectAccessible(page);
      await dialog.getByLabel("Severity").selectOption("routine");
    }
    await press("Publish");
    await expect(shell.main).toContainText("It was published and starts on Wed 30 Oct (London).");
    await expect(page).toHaveURL(/\/updates\/[0-9a-f-]+$/);
  });

  test("a release is recalled with a reason, and its product covered no more (S10, P7)", async ({ page, open }) => {
    await open("/portfolio?q=rooms+app+on+windows");
    const shell = new Shell(page);
    const dialog = page.getByRole("dialog");
    await expect(shell.main.getByRole("status").filter({ hasText: "product" })).toHaveText("1 product");
    await shell.main.getByRole("link", { name: "Teams Rooms app on Windows" }).click();
    if (withScript) await hydrated(page);
    await expect(shell.main.getByRole("heading", { level: 1 })).toContainText("Teams Rooms");
    const releases = new Table(shell.main.getByRole("table", { name: /^Releases of/ }));
    const row = releases.row(/5\.2\.115\.0/);
    await expect(row).toContainText("In progress");
    await row.getByRole("link", { name: "Recall 5.2.115.0" }).click();
    await expect(dialog).toContainText("Its rollout ends at once");
    await dialog.getByLabel("Reason").fill("It loses the camera");
    if (withScript) await expectAccessible(page);
    await dialog.getByRole("button", { name: "Recall the release" }).click();
    await expect(shell.main).toContainText("The release was recalled;");
    await expect(row).toContainText("Recalled");
    await expect(row).toContainText("Deprecated");
    await expect(row.getByRole("link", { name: /^Publish/ })).toHaveCount(0);

    await shell.main.getByRole("button", { name: "Stop covering" }).click();
    await expect(shell.main).toContainText("The product is not covered any more.");
    await expect(shell.main.getByRole("button", { name: "Cover", exact: true })).toBeVisible();
  });

  test("a catalogue is shown before it is imported (P7, G5)", async ({ page, open }) => {
    await open("/portfolio/import");
    const shell = new Shell(page);
    const send = async (products: unknown, releases: unknown) => {
      const json = (name: string, value: unknown) => ({
        name,
        mimeType: "application/json",
        buffer: Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
      });
      await shell.main.getByLabel("Products").setInputFiles(json("products.json", products));
      await shell.main.getByLabel("Releases").setInputFiles(json("releases.json", releases));
      await shell.main.getByRole("button", { name: "Check the files" }).click();
    };
    await send("[", []);
    await expect(shell.main.getByText(/catalogue: products: EOF/)).toBeVisible();
    await open("/portfolio/import");
    const dock = { id: "harbour-dock", vendor: "Harbour", name: "Harbour Dock", kind: "firmware", expected_minutes: 9 };
    await send([dock], [{ product: "harbour-dock", version: "1.0.7", rank: 1 }]);
    await page.waitForURL(/upload=/);
    if (withScript) await hydrated(page);
    const review = shell.main.getByText("releases.json: 1 release is added, 1 product added or changed.");
    await expect(review).toBeVisible();
    if (withScript) await expectAccessible(page);
    await shell.main.getByRole("button", { name: "Import it" }).click();
    await expect(shell.main).toContainText("Imported: 1 product, 1 new release.");
  });
});
