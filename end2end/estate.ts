// The demo estate, frozen at 2024-10-24T09:00:00Z, as far as the specs speak of it.

export type Update = { row: RegExp; status: string };

/** `row` finds an update by its first cell, whose words are the product's and the version. */
export const active = {
  neatBar: { row: /NFB1\.20240620\.0015/, status: "Completed with failures" },
  roomsApp: { row: /5\.2\.115\.0/, status: "In progress" },
  studioX: { row: /Studio X30.*4\.2\.2-408037/s, status: "Paused" },
  d7x: { row: /D7X.*1\.5\.8\.3/s, status: "In progress" },
  windows23h2: { row: /10\.0\.22631\.4317/, status: "In progress" },
  windows22h2: { row: /10\.0\.22621\.4317/, status: "In progress" },
  feature: { row: /Windows (feature release|11,? (version )?23H2(?! cumulative))/, status: "Scheduled" },
} satisfies Record<string, Update>;

export const past = {
  meetingBar: { row: /133\.320\.0\.39/, status: "Completed" },
  recalledRallyBar: { row: /1\.12\.252/, status: "Deprecated" },
  recalledTapIp: { row: /1\.12\.183/, status: "Deprecated" },
  supersededRoomsApp: { row: /5\.1\.24\.0/, status: "Deprecated" },
  earlierRoomsApp: { row: /5\.1\.28\.0/, status: "Completed" },
} satisfies Record<string, Update>;

/** Every room is already current: it shows in the portfolio only. */
export const notRequired = { row: /2\.006\.0054/, status: "Not required" } satisfies Update;

export const rings = [
  { name: "Staging", rooms: 6, deferment: 0, rollout: 2, test: 5, completion: 7 },
  { name: "Pilot floors", rooms: 12, deferment: 7, rollout: 3, test: 4, completion: 7 },
  { name: "General", rooms: 88, deferment: 14, rollout: 10, test: 4, completion: 14 },
  { name: "Executive", rooms: 14, deferment: 28, rollout: 5, test: 2, completion: 7 },
] as const;

export const total = { rooms: 120, rollout: 20, test: 15, completion: 35 } as const;

/** A Windows room in Sydney, in General, in which the rooms app failed on 17 October. */
export const cuttle = { name: "Cuttle", site: "Sydney", ring: "General" } as const;

/** Rooms with an open ticket of their own. */
export const roomsWithTickets = ["Lagoon", "Pear", "Cuttle", "Teal"] as const;
