// SPDX-License-Identifier: Apache-2.0

/**
 * The tables of a map in a PostgreSQL schema of their own, version by version, as in `sqlite/schema.ts`. A step that has been released is
 * never changed. `D` stands for the number of dimensions.
 */
export const MIGRATIONS: readonly string[] = [
  `
  create table machine (id int primary key, identity text not null unique);
  create table run (
    id int primary key,
    name text not null unique,
    machine int not null references machine,
    digest text not null,
    evidence text not null
  );
  create table policy (id int primary key, name text not null unique);
  create table situation (
    id int primary key,
    machine int not null references machine,
    workload text not null,
    variant text not null,
    point text not null,
    summary bytea not null,
    unique (machine, workload, variant, point)
  );
  create table cell (
    id int primary key,
    machine int not null references machine,
    leader vector(D) not null,
    radius float8 not null,
    size int not null
  );
  create table observation (
    cell int not null references cell,
    situation int not null references situation,
    run int not null references run,
    trial text collate "C" not null,
    "window" int not null,
    policy int not null references policy,
    at text not null,
    digest text not null,
    vector vector(D) not null,
    primary key (run, trial, "window")
  );
  create index observation_cell on observation (cell);
  create index observation_situation on observation (situation);
  create table outcome (
    run int not null references run,
    trial text collate "C" not null,
    situation int not null references situation,
    policy int not null references policy,
    at text not null,
    digest text not null,
    baseline text,
    block int not null,
    seed int not null,
    state text not null,
    failed boolean not null,
    "primary" float8,
    "time" float8,
    tail float8,
    energy float8,
    primary key (run, trial)
  );
  create index outcome_situation on outcome (situation);
  `,
];
