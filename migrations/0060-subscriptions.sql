-- Who wants to be told of changes, and what is still to be told to whom: the outbox of Subscriptions.

-- One row per Subscription that was ever served; those that are off keep who they are for. Distributed by subscription.
create table fhir.subscriber (
  subscription text collate "C" primary key,
  state text not null check (state in ('requested', 'active', 'error', 'off')),
  -- JSON: who it is for (src/fhir/caller.ts), and what is wanted and where it goes (src/subscriptions/wanted.ts).
  caller text not null,
  owner text not null,
  wanted text not null,
  -- When it ends, in ms.
  ends bigint,
  -- The number of the last event.
  events bigint not null default 0,
  -- Failures since the last success; not tried before `due` (ms).
  failures integer not null default 0,
  due bigint not null default 0,
  -- The process that delivers for it now, and until when it may (ms).
  lessee text,
  leased_until bigint not null default 0
);

-- Grows with every change of the list above, so that a process can see cheaply whether the list it holds is still true. One row.
create table fhir.subscriber_list (
  name text collate "C" primary key,
  stamp bigint not null
);
insert into fhir.subscriber_list (name, stamp) values ('subscriber', 0);

-- The last place in each stream: what is told of one patient to one subscriber is told in order. Distributed by subscription.
create table fhir.notification_stream (
  subscription text collate "C",
  stream text collate "C",
  last bigint not null,
  primary key (subscription, stream)
);

-- One row per change and subscriber, written in the transaction of the change. Distributed by subscription.
create table fhir.notification (
  subscription text collate "C",
  stream text collate "C",
  place bigint,
  -- Number of the event: given when it is first looked at for delivery.
  number bigint,
  -- What has changed: `Observation/1` and its version; `detail` where the version can't be read again later.
  focus text not null,
  version bigint not null,
  detail text,
  at bigint not null,
  state text not null default 'waiting' check (state in ('waiting', 'dead', 'done')),
  attempts integer not null default 0,
  -- When it was first tried, when it may be tried again, when it was done (ms).
  tried bigint,
  due bigint not null default 0,
  done bigint,
  error text,
  primary key (subscription, stream, place)
);
create index notification_fresh on fhir.notification (subscription) where number is null;
create index notification_open on fhir.notification (subscription, number) where state <> 'done';
create index notification_stream_open on fhir.notification (subscription, stream, number) where state <> 'done';
create index notification_number on fhir.notification (subscription, number) where number is not null;
create index notification_done on fhir.notification (done) where state = 'done';
