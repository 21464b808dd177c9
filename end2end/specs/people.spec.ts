// Accounts, roles and signing in (A1, A2): on a server of its own where nobody has an account, and as a role in the demo.

import { expect, expectAccessible, expectNoSidewaysScrolling, hydrated, test } from "../fixtures.ts";
import { OwnServer } from "../pages/own_server.ts";
import { PeoplePage, SignInPage } from "../pages/people.ts";
import { navigation, Shell, Table } from "../pages/shell.ts";

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
      // What the account page asked for just before its session ended is answered after that.
      test.use({ javaScriptEnabled, expectedErrors: [/401.*\/api\/account/] });

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
        await expect(people.main.getByRole("status").first()).toContainText("Bo Lind was added.");
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

        const another = "another lamp that hums";
        await page.goto(`${server.address}/account`);
        await documents.fill({ "Old password": "not this one", "New password": another });
        await people.button("Change password").click();
        await expect(people.main.getByRole("alert")).toContainText("it is not the one that you have now");
        await documents.fill({ "Old password": password, "New password": another });
        await people.button("Change password").click();
        await expect(people.main.getByRole("status").first()).toContainText("Your password was changed");
        await people.button("Sign out").click();
        await documents.fill({ "E-mail": "bo@example.com", Password: another });
        await documents.send("Sign in");
        await expect(page.getByRole("banner")).toContainText("Bo Lind");
      });
    });
  }

  test.describe("an admin and a colleague of the helpdesk", () => {
    test.use({ expectedErrors: [/403/] });

    test("what is not for helpdesk is neither shown nor taken from them (A1)", async ({ page, browser }) => {
      await server.makeFirstAdmin(page, password);
      const link = await server.invite(page, { name: "Bo Lind", email: "bo@example.com", role: "helpdesk" });
      const other = await browser.newContext();
      const bo = await other.newPage();
      await server.choosePassword(bo, link, "bo@example.com", password);

      const shell = new Shell(bo);
      const open = navigation.filter(({ name }) => !["Portfolio", "Audit", "Settings"].includes(name));
      await expect(shell.mainNavigation.getByRole("link")).toHaveText(open.map(({ name }) => name));
      for (const path of ["/settings", "/settings/people", "/settings/tokens", "/audit", "/portfolio"]) {
        expect((await bo.goto(`${server.address}${path}`))?.status(), path).toBe(403);
      }
      // Past the pages: what a script in their browser would send.
      const calls = ["/api/settings", "/api/people", "/api/tokens", "/api/audit?query[who]=", "/audit.csv"];
      const forms = {
        "/settings/people/add": "name=Eve&email=eve%40example.com&role=admin",
        "/settings/people/role": "email=bo%40example.com&role=admin",
        "/settings/people/reset": "email=ada%40example.com",
        "/settings/people/disable": "email=ada%40example.com",
        "/settings/tokens/add": "name=Eve&role=admin&days=1",
      };
      const statuses = await bo.evaluate(
        async ({ calls, forms }) => {
          const type = { "content-type": "application/x-www-form-urlencoded" };
          const answers = [
            ...calls.map((path) => fetch(path)),
            ...Object.entries(forms).map(([path, body]) => fetch(path, { method: "POST", headers: type, body })),
          ];
          return Promise.all(answers.map(async (answer) => (await answer).status));
        },
        { calls, forms },
      );
      expect(statuses).toEqual(statuses.map(() => 403));
      await page.goto(`${server.address}${PeoplePage.path}`);
      await expect(new PeoplePage(page).people.rows).toHaveCount(2);

      // The admin sees where they are signed in, and ends it.
      await page.getByRole("link", { name: "Bo Lind" }).click();
      await expect(new Shell(page).title).toHaveText("Bo Lind");
      await hydrated(page);
      await expectAccessible(page);
      await new PeoplePage(page).button("End").click();
      await expect(new Shell(page).main).toContainText("Not signed in anywhere.");
      await bo.goto(`${server.address}/rooms`);
      await expect(bo).toHaveURL(/\/sign-in\?next=%2Frooms$/);
      await other.close();
    });
  });

  test.describe("another site", () => {
    test.use({ expectedErrors: [/frame|Framing|Content Security Policy|content-security-policy|403|ERR_BLOCKED/i] });

    test("can neither frame a page, nor run a script in it, nor send a form (A2)", async ({ page }) => {
      await server.makeFirstAdmin(page, password);
      const evil = await OwnServer.evil(`<iframe src="${server.address}/" title="framed"></iframe>
        <form method="post" action="${server.address}/sign-out"><button>Win a prize</button></form>`);
      try {
        await page.goto(evil.address);
        await expect(page.locator("iframe")).toBeVisible();
        const framed = page.frames().find((frame) => frame !== page.mainFrame());
        expect(await framed?.content(), "an empty frame").not.toContain("Nightshift");
        await expect.poll(() => server.logged("a page was refused in a frame")).toBe(1);
        await page.getByRole("button", { name: "Win a prize" }).click();
        await expect(page.getByRole("heading", { name: "Refused" })).toBeVisible();
      } finally {
        await evil.stop();
      }
      await page.goto(`${server.address}/`);
      await expect(page.getByRole("banner"), "still signed in").toContainText("Ada Byrne");
      const ran = await page.evaluate(() => {
        const script = document.createElement("script");
        script.textContent = "document.documentElement.dataset.ran = 'yes'";
        document.body.append(script);
        const button = document.createElement("button");
        button.setAttribute("onclick", "document.documentElement.dataset.ran = 'yes'");
        document.body.append(button);
        button.click();
        return document.documentElement.dataset.ran;
      });
      expect(ran, "an inline script").toBeUndefined();
      const refused = "a browser refused what the policy of a page forbids";
      await expect.poll(() => server.logged(`${refused} directive="script-src-elem"`)).toBe(1);
      await expect.poll(() => server.logged(`${refused} directive="script-src-attr"`)).toBe(1);
      expect(server.logged(refused), "the frame was not reported a second time").toBe(2);
    });
  });

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

  test("a token is shown once, and revoked (A1)", async ({ page }) => {
    await page.goto("/settings/tokens");
    await hydrated(page);
    const people = new PeoplePage(page);
    const name = "Nightly report";
    await page.getByLabel("Name", { exact: true }).fill(name);
    await people.button("Add a token").click();
    await expect(people.link.first()).toContainText(/^nightshift_[0-9a-f]{64}$/);
    const tokens = new Table(people.main.getByRole("table", { name: "Tokens" }));
    await expect(tokens.row(/Nightly report/)).toContainText("Auditor");
    await hydrated(page);
    await expectAccessible(page);
    await page.reload();
    await expect(people.link).toHaveCount(0);
    await people.button(`Revoke ${name}`).click();
    await expect(tokens.row(/Nightly report/)).toHaveCount(0);
  });

  test("everything about one object is a click away in the audit (A3)", async ({ page }) => {
    await page.goto("/audit?kind=token");
    await hydrated(page);
    const shell = new Shell(page);
    await shell.main.getByRole("link", { name: "Everything about this token" }).last().click();
    await expect(page).toHaveURL(/kind=token&object=/);
    await expect(shell.main.getByRole("row")).toHaveCount(2);
    await shell.main.getByRole("link", { name: "Show all objects" }).click();
    await expect(page).toHaveURL(/\/audit$/);
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
