// SPDX-License-Identifier: Apache-2.0

/** `PMVX` in ASCII: marks a database file as a policy map (https://sqlite.org/fileformat2.html#application_id). */
export const APPLICATION_ID = 0x504d5658;

/**
 * Steps from one version of the schema to the next, each in a transaction with the mark of its version (`user_version`). A step that has been
 * released is never changed: a new one is added.
 */
export const MIGRATIONS: readonly string[] = [
  `
  create table setting (name text primary key, value text not null) strict, without rowid;
  create table machine (id integer primary key, identity text not null unique) strict;
  create table run (
    id integer primary key,
    name text not null unique,
    machine integer not null references machine,
    digest text not null,
    evidence text not null
  ) strict;
  create table policy (id integer primary key, name text not null unique) strict;
  create table situation (
    id integer primary key,
    machine integer not null references machine,
    workload text not null,
    variant text not null,
    point text not null,
    summary blob not null, -- derived from outcome: see summary.ts
    unique (machine, workload, variant, point)
  ) strict;
  create table cell (
    id integer primary key,
    machine integer not null references machine,
    leader blob not null,
    radius real not null,
    size integer not null
  ) strict;
  -- Sorted by cell and situation: a search reads whole cells, each situation's vectors together.
  create table observation (
    cell integer not null references cell,
    situation integer not null references situation,
    run integer not null references run,
    trial text not null,
    "window" integer not null,
    policy integer not null references policy,
    at text not null,
    digest text not null,
    vector blob not null,
    primary key (cell, situation, run, trial, "window")
  ) strict, without rowid;
  create unique index observation_key on observation (run, trial, "window");
  create index observation_situation on observation (situation);
  create table outcome (
    run integer not null references run,
    trial text not null,
    situation integer not null references situation,
    policy integer not null references policy,
    at text not null,
    digest text not null,
    baseline text,
    block integer not null,
    seed integer not null,
    state text not null,
    failed integer not null,
    "primary" real,
    "time" real,
    tail real,
    energy real,
    primary key (run, trial)
  ) strict, without rowid;
  create index outcome_situation on outcome (situation);
  `,
];
