// A server of a test's own, without the demo: nobody has an account yet.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Page } from "@playwright/test";
import { PeoplePage, SignInPage } from "./people.ts";

export class OwnServer {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    readonly address: string,
    /** The link that makes the first admin. */
    readonly welcome: string,
    private readonly log: string[],
  ) {}

  static async start(): Promise<OwnServer> {
    const folder = await mkdtemp(join(tmpdir(), "nightshift-own-"));
    const root = join(import.meta.dirname, "../..");
    const program = process.env.NIGHTSHIFT_BIN ?? "target/debug/nightshift";
    const database = `sqlite:${join(folder, "nightshift.db")}`;
    const flags = ["--database", database, "--artifacts", join(folder, "artifacts"), "--listen", "127.0.0.1:0"];
    const child = spawn(join(root, program), ["serve", ...flags, "--organisation", "Fathom Lane"], {
      cwd: root,
      env: { ...process.env, LEPTOS_SITE_ROOT: "target/site" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const log: string[] = [];
    createInterface({ input: child.stderr }).on("line", (line) => {
      log.push(line);
      process.stderr.write(`${line}\n`);
    });
    let welcome = "";
    for await (const line of createInterface({ input: child.stdout })) {
      welcome = /(\/welcome\/\S+)/.exec(line)?.[1] ?? welcome;
      const address = /listens on (http:\S+)/.exec(line)?.[1];
      if (address !== undefined) return new OwnServer(child, folder, address, welcome, log);
    }
    throw new Error("the program ended before it listened");
  }

  /** How many lines of its log say this. */
  logged(words: string): number {
    return this.log.filter((line) => line.includes(words)).length;
  }

  /** Makes the first admin, Ada Byrne, who is signed in then. */
  async makeFirstAdmin(page: Page, password: string): Promise<void> {
    const documents = new SignInPage(page);
    await page.goto(`${this.address}${this.welcome}`);
    await documents.fill({ "Your name": "Ada Byrne", "E-mail": "ada@example.com", Password: password });
    await documents.send("Create the first admin");
    await page.waitForURL(`${this.address}/`);
  }

  /** Invites somebody as the admin does: the link with which they choose a password. */
  async invite(page: Page, person: { name: string; email: string; role: string }): Promise<string> {
    const people = new PeoplePage(page);
    await page.goto(`${this.address}${PeoplePage.path}`);
    await new SignInPage(page).fill({ Name: person.name, "E-mail": person.email });
    await page.getByLabel("Role", { exact: true }).selectOption(person.role);
    await people.button("Add").click();
    return people.link.innerText();
  }

  /** Chooses a password with a link, and signs in with it. */
  async choosePassword(page: Page, link: string, email: string, password: string): Promise<void> {
    const documents = new SignInPage(page);
    await page.goto(link);
    await documents.fill({ Password: password });
    await documents.send("Save the password");
    await page.getByRole("link", { name: "Sign in" }).click();
    await documents.fill({ "E-mail": email, Password: password });
    await documents.send("Sign in");
    await page.waitForURL(`${this.address}/`);
  }

  /** Somebody else's site, with one page. */
  static async evil(body: string): Promise<{ address: string; stop: () => Promise<void> }> {
    const site = createServer((_, answer) => {
      answer.setHeader("content-type", "text/html");
      answer.end(`<!doctype html><title>Prizes</title>${body}`);
    });
    await new Promise<void>((listening) => site.listen(0, "localhost", listening));
    const { port } = site.address() as AddressInfo;
    const stop = async () => {
      site.closeAllConnections();
      await new Promise((closed) => site.close(closed));
    };
    // Another name of this machine: another site.
    return { address: `http://localhost:${port}/`, stop };
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGTERM");
    await ended;
    await rm(this.folder, { recursive: true });
  }
}

/** A demo of a test's own, whose clock stands still: what the test changes concerns nobody else. */
export class OwnDemo {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    readonly address: string,
  ) {}

  static async start(): Promise<OwnDemo> {
    const folder = await mkdtemp(join(tmpdir(), "nightshift-demo-"));
    const root = join(import.meta.dirname, "../..");
    const program = process.env.NIGHTSHIFT_BIN ?? "target/debug/nightshift";
    const child = spawn(join(root, program), ["demo", "--data", folder, "--listen", "127.0.0.1:0", "--frozen"], {
      cwd: root,
      env: { ...process.env, LEPTOS_SITE_ROOT: "target/site" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    for await (const line of createInterface({ input: child.stdout })) {
      const address = /listens on (http:\S+)/.exec(line)?.[1];
      if (address !== undefined) return new OwnDemo(child, folder, address);
    }
    throw new Error("the program ended before it listened");
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.process.once("exit", resolve));
    this.process.kill("SIGTERM");
    await ended;
    await rm(this.folder, { recursive: true });
  }
}
