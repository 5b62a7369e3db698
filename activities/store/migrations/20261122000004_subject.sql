-- migrate:up

-- The account that the user signed in with first, as its provider knows it. An address can be given to somebody else,
-- an account cannot.
alter table users add column account_sub text;

-- migrate:down

alter table users drop column account_sub;
