// Every page that the checks for all pages go through.

import type { Page } from "@playwright/test";
import { active, cuttle } from "../estate.ts";
import { IncidentsPage } from "./incidents.ts";
import { PeoplePage } from "./people.ts";
import { addressOfRoom } from "./rooms.ts";
import { UpdatesPage } from "./updates.ts";

export type Place = {
  name: string;
  title: RegExp;
  /** The page is a list or has one: it shows a table with rows that link somewhere. */
  table: boolean;
  /** Its own content links nowhere; the navigation does. */
  noLinks?: true;
  address: (page: Page) => Promise<string>;
};

const at = (path: string) => async () => path;
const inRoom = (path: string) => async (page: Page) => `${await addressOfRoom(page, cuttle.name)}${path}`;

export const everyPage: Place[] = [
  { name: "home", title: /^Home$/, table: false, address: at("/") },
  { name: "updates", title: /^Updates$/, table: true, address: at("/updates") },
  { name: "updates-past", title: /^Updates$/, table: true, address: at("/updates?past=on") },
  { name: "updates-rooms", title: /^Updates$/, table: true, address: at("/updates/rooms") },
  { name: "updates-rings", title: /^Updates$/, table: true, address: at("/updates/rings") },
  { name: "update", title: active.roomsApp.row, table: true, address: addressOfUpdate },
  { name: "rooms", title: /^Rooms$/, table: true, address: at("/rooms") },
  { name: "room", title: /Cuttle/, table: true, address: inRoom("") },
  { name: "room-updates", title: /Cuttle/, table: true, address: inRoom("/updates") },
  { name: "room-tickets", title: /Cuttle/, table: true, address: inRoom("/tickets") },
  { name: "room-history", title: /Cuttle/, table: false, address: inRoom("/history") },
  { name: "rooms-import", title: /^Import rooms$/, table: false, noLinks: true, address: at("/rooms/import") },
  { name: "readiness", title: /^Readiness$/, table: true, address: at("/rooms/readiness") },
  { name: "onboarding", title: /^Readiness$/, table: true, address: at("/rooms/readiness?state=onboarding&result=all") },
  { name: "software", title: /^Software$/, table: true, address: at("/rooms/readiness/software") },
  { name: "profile", title: /^Readiness profile$/, table: false, noLinks: true, address: at("/rooms/readiness/profile") },
  { name: "support", title: /^Support$/, table: true, address: at("/rooms/support?group=all") },
  { name: "support-past", title: /^Support$/, table: true, address: at("/rooms/support?group=all&date=2024-10-01") },
  { name: "sites", title: /^Sites$/, table: true, address: at("/rooms/sites") },
  { name: "incidents", title: /^Incidents$/, table: true, address: at("/incidents") },
  { name: "ticket", title: new RegExp(cuttle.name), table: false, address: addressOfTicket },
  { name: "portfolio", title: /^Portfolio$/, table: true, address: at("/portfolio") },
  { name: "product", title: /^Teams Rooms app on Windows$/, table: true, address: at("/portfolio/teams-rooms-app-windows") },
  { name: "catalogue", title: /^Import a catalogue$/, table: false, noLinks: true, address: at("/portfolio/import") },
  { name: "search", title: /^Search$/, table: false, address: at("/search?q=cuttle") },
  { name: "audit", title: /^Audit$/, table: true, address: at("/audit") },
  { name: "settings", title: /^Settings$/, table: false, address: at("/settings") },
  { name: "freezes", title: /^Freezes$/, table: true, address: at("/settings/freezes") },
  { name: "people", title: /^People$/, table: true, address: at("/settings/people") },
  { name: "person", title: /^Grace Okafor$/, table: false, address: addressOfPerson },
  { name: "tokens", title: /^Tokens$/, table: true, address: at("/settings/tokens") },
  { name: "account", title: /^Your account$/, table: false, noLinks: true, address: at("/account") },
];

async function addressOfUpdate(page: Page): Promise<string> {
  await page.goto(UpdatesPage.path);
  const address = await new UpdatesPage(page).link(active.roomsApp.row).getAttribute("href");
  if (address === null) throw new Error("the link to the update has no address");
  return address;
}

async function addressOfPerson(page: Page): Promise<string> {
  await page.goto(PeoplePage.path);
  const address = await new PeoplePage(page).people.rows.first().getByRole("link").getAttribute("href");
  if (address === null) throw new Error("the link to the person has no address");
  return address;
}

async function addressOfTicket(page: Page): Promise<string> {
  await page.goto(IncidentsPage.path);
  const link = new IncidentsPage(page).about(cuttle.name).getByRole("link").first();
  const address = await link.getAttribute("href");
  if (address === null) throw new Error("the link to the ticket has no address");
  return address;
}
