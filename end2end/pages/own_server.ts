// A server of a test's own, without the demo: nobody has an account yet.

import { spawn, type ChildProcess } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export class OwnServer {
  private constructor(
    private readonly process: ChildProcess,
    private readonly folder: string,
    readonly address: string,
    /** The link that makes the first admin. */
    readonly welcome: string,
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
      stdio: ["ignore", "pipe", "inherit"],
    });
    let welcome = "";
    for await (const line of createInterface({ input: child.stdout })) {
      welcome = /(\/welcome\/\S+)/.exec(line)?.[1] ?? welcome;
      const address = /listens on (http:\S+)/.exec(line)?.[1];
      if (address !== undefined) return new OwnServer(child, folder, address, welcome);
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
