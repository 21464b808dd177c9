// Every page that the checks for all pages go through.

import type { Page } from "@playwright/test";
import { active, cuttle } from "../estate.ts";
import { addressOfRoom } from "./rooms.ts";
import { UpdatesPage } from "./updates.ts";

export type Place = {
  name: string;
  title: RegExp;
  /** The page is a list or has one: it shows a table with rows that link somewhere. */
  table: boolean;
  address: (page: Page) => Promise<string>;
};

const at = (path: string) => async () => path;
const inRoom = (path: string) => async (page: Page) => `${await addressOfRoom(page, cuttle.name)}${path}`;

export const everyPage: Place[] = [
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
  { name: "incidents", title: /^Incidents$/, table: true, address: at("/incidents") },
];

async function addressOfUpdate(page: Page): Promise<string> {
  await page.goto(UpdatesPage.path);
  const address = await new UpdatesPage(page).link(active.roomsApp.row).getAttribute("href");
  if (address === null) throw new Error("the link to the update has no address");
  return address;
}
