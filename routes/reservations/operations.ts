import { EXAMPLE_TIME } from "../http/input/wordings.ts";
import { describe } from "../openapi/operation.ts";
import { KEY, number, query } from "../openapi/parameters.ts";
import { reservationAnswers, reservationBodies } from "./schemas.ts";

const shown = {
  id: "7f1c24c3-64f8-4f7a-9d0b-0d8d3b2b5b0e",
  room_id: "demo",
  agent: "alice",
  paths: ["src/**", "docs/*.md"],
  mode: "exclusive",
  note: null,
  fence: 7,
  created_at: EXAMPLE_TIME,
  expires_at: "2026-11-22T04:35:00.000Z",
};

export const RESERVATIONS = describe({
  bodies: reservationBodies,
  answers: reservationAnswers,
  operations: {
    "/rooms/{room}/reservations": {
      get: {
        id: "listReservations",
        summary: "List the reservations in force, oldest first",
        description: "Shows who works on which paths.",
        parameters: [
          query("agent", "Only reservations of this agent"),
          query("path", "Only reservations that cover this path, or a path that this glob covers"),
        ],
        answers: { 200: "ReservationList" },
        shown: [shown],
      },
      post: {
        id: "reservePaths",
        summary: "Reserve paths, all or none, at once or when they are free",
        description:
          "Two reservations conflict if they belong to different agents, at least one is exclusive, and both cover " +
          "some path.",
        parameters: [KEY],
        body: "ReservationRequest",
        example: { agent: "alice", paths: ["src/**", "docs/*.md"] },
        answers: { 201: "NewReservation" },
        shown,
        errors: ["agent_not_found", "reserved", "limit_reached"],
      },
    },
    "/rooms/{room}/reservations/{reservation}": {
      delete: {
        id: "releaseReservation",
        summary: "Release a reservation",
        description: "An agent that waits for its paths gets them.",
        parameters: [
          KEY,
          query("agent", "The agent that holds it, if the body does not name it", ({ id }) => id),
          query("fence", "Only if this is its `fence`", number(1)),
        ],
        body: "ReservationRelease",
        example: { agent: "alice", fence: 7 },
        answers: { 200: "ReservationReleased" },
        shown: { released: true },
        errors: ["reservation_not_found", "lease_lost"],
      },
    },
    "/rooms/{room}/reservations/{reservation}/renew": {
      post: {
        id: "renewReservation",
        summary: "Renew a reservation: it ends `ttl` seconds from now",
        description: "A reservation that has ended cannot be renewed: reserve the paths again.",
        parameters: [KEY],
        body: "ReservationRenewal",
        example: { agent: "alice", fence: 7, ttl: 900 },
        answers: { 200: "Reservation" },
        shown,
        errors: ["reservation_not_found", "lease_lost"],
      },
    },
  },
});
