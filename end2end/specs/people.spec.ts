// Accounts, roles and signing in (A1, A2): on a server of its own where nobody has an account, and as a role in the demo.

import { expect, expectAccessible, expectNoSidewaysScrolling, hydrated, test } from "../fixtures.ts";
import { OwnServer } from "../pages/own_server.ts";
import { PeoplePage, SignInPage } from "../pages/people.ts";
import { navigation, Shell } from "../pages/shell.ts";

const password = "a lamp that hums at night";

test.describe("on a server that was just installed", () => {
  let server: OwnServer;
  test.beforeEach(async () => {
    server = await OwnServer.start();
  });
  test.afterEach(async ({ page }) => {
    // What the last page still loads must not find the server gone.
    await page.goto("about:blank");
    await server.stop();
  });

  for (const javaScriptEnabled of [true, false]) {
    test.describe(javaScriptEnabled ? "with script" : "without script", () => {
      test.use({ javaScriptEnabled });

      test("the first admin adds a colleague, who chooses a password and signs in and out (A2)", async ({ page }) => {
        const documents = new SignInPage(page);
        await page.goto(`${server.address}/rooms`);
        await expect(page).toHaveURL(/\/sign-in\?next=%2Frooms$/);

        await page.goto(`${server.address}${server.welcome}`);
        await documents.fill({ "Your name": "Ada Byrne", "E-mail": "ada@example.com", Password: password });
        await documents.send("Create the first admin");
        await expect(page).toHaveURL(`${server.address}/`);
        await expect(page.getByRole("banner")).toContainText("Ada Byrne");

        await page.goto(`${server.address}${PeoplePage.path}`);
        const people = new PeoplePage(page);
        await documents.fill({ Name: "Bo Lind", "E-mail": "bo@example.com" });
        await people.button("Add").click();
        await expect(people.main.getByRole("status").first()).toContainText("Bo Lind is added.");
        await expect(people.people.row(/Bo Lind/)).toContainText("Has not chosen a password yet");
        const link = await people.link.innerText();
        await page.reload();
        await expect(people.link).toHaveCount(0);

        await page.goto(`${server.address}/account`);
        await people.button("Sign out").click();
        await expect(page).toHaveURL(/\/sign-in$/);
        await page.goto(link);
        await documents.fill({ Password: password });
        await documents.send("Save the password");
        await page.getByRole("link", { name: "Sign in" }).click();
        await documents.fill({ "E-mail": "bo@example.com", Password: password });
        await documents.send("Sign in");
        await expect(page.getByRole("banner")).toContainText("Bo Lind");
        await expect(page.getByRole("banner")).toContainText("Helpdesk");
      });
    });
  }

  test.describe("a wrong password", () => {
    // Chromium names the status of a document that it loads as an error.
    test.use({ expectedErrors: [/401 \(Unauthorized\)/] });

    test("is named on the page, and what was typed stays (A2)", async ({ page }) => {
      const documents = new SignInPage(page);
      await page.goto(`${server.address}${SignInPage.path}`);
      await documents.fill({ "E-mail": "ada@example.com", Password: "not my password" });
      await documents.send("Sign in");
      await expect(documents.problem).toContainText("the e-mail address or the password is wrong");
      await expect(page.getByLabel("E-mail")).toHaveValue("ada@example.com");
      await expectAccessible(page);
    });
  });

  test("the documents without a shell have no accessibility findings and no sideways scrolling (P10)", async ({
    page,
  }) => {
    for (const path of [SignInPage.path, server.welcome]) {
      for (const width of [1440, 360]) {
        await page.setViewportSize({ width, height: 800 });
        await page.goto(`${server.address}${path}`);
        await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
        await expectAccessible(page);
        await expectNoSidewaysScrolling(page);
      }
    }
  });
});

test.describe("in the demo", () => {
  test.use({ expectedErrors: [/403/] });

  test("helpdesk sees rooms, updates and tickets, and is told what is not for them (A1)", async ({ page }) => {
    await page.goto("/");
    await hydrated(page);
    await page.getByRole("button", { name: "Look at it as Helpdesk" }).click();
    const shell = new Shell(page);
    await expect(page.getByRole("banner")).toContainText("Helpdesk");
    const open = navigation.filter(({ name }) => !["Portfolio", "Audit", "Settings"].includes(name));
    await expect(shell.mainNavigation.getByRole("link")).toHaveText(open.map(({ name }) => name));
    for (const path of ["/portfolio", "/audit", "/settings", "/settings/people"]) {
      const answer = await page.goto(path);
      expect(answer?.status(), path).toBe(403);
      await expect(shell.main.getByRole("heading", { name: "This is not for your role" })).toBeVisible();
    }
    await hydrated(page);
    await expectAccessible(page);
    await page.getByRole("button", { name: "Look at it as Admin" }).click();
    await expect(shell.mainNavigation.getByRole("link")).toHaveText(navigation.map(({ name }) => name));
  });

  test("a new person gets a link that is shown once (A1, A2)", async ({ page }) => {
    await page.goto(PeoplePage.path);
    await hydrated(page);
    const people = new PeoplePage(page);
    await page.getByLabel("Name", { exact: true }).fill("Noor Haddad");
    await page.getByLabel("E-mail", { exact: true }).fill("noor.haddad@example.com");
    await page.getByLabel("Role", { exact: true }).selectOption("Auditor");
    await people.button("Add").click();
    await expect(people.link).toContainText("/password/");
    await expect(people.people.row(/Noor Haddad/)).toContainText("Auditor");
    await hydrated(page);
    await expectAccessible(page);
    await people.button("Disable Noor Haddad").click();
    await expect(people.people.row(/Noor Haddad/)).toContainText("Disabled");
    await page.getByLabel("Name", { exact: true }).fill("Noor Haddad");
    await page.getByLabel("E-mail", { exact: true }).fill("noor.haddad@example.com");
    await people.button("Add").click();
    await expect(people.main.getByRole("alert")).toContainText("noor.haddad@example.com has an account already");
  });
});
