-- The tables of a database of sweeps. What was not measured is NULL.

-- A row a run.
CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    configuration TEXT NOT NULL,   -- all that was set, but for the seed
    varied TEXT NOT NULL,          -- the varied part of it
    seed INTEGER NOT NULL,         -- the 64 bits of it
    error TEXT,                    -- why it failed
    train_accuracy REAL, validation_accuracy REAL, test_accuracy REAL,
    genome_bits INTEGER, genome_crc TEXT, model_bytes INTEGER, model_crc TEXT,
    mutants INTEGER, seconds REAL, stop TEXT,
    UNIQUE (configuration, seed)
);

-- Its configuration, key by key.
CREATE TABLE settings (
    run INTEGER NOT NULL REFERENCES runs, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (run, key)
) WITHOUT ROWID;

-- Its sweeps or generations.
CREATE TABLE metrics (
    run INTEGER NOT NULL REFERENCES runs, step INTEGER NOT NULL, sweep INTEGER NOT NULL,
    mutants INTEGER NOT NULL, seconds REAL NOT NULL,
    train_loss REAL, train_accuracy REAL, validation_loss REAL, validation_accuracy REAL,
    PRIMARY KEY (run, step)
) WITHOUT ROWID;

-- Of a run of islands the best genome: where it was best, and the genome that all islands began with, as little-endian words.
CREATE TABLE winners (
    run INTEGER PRIMARY KEY REFERENCES runs, island INTEGER NOT NULL, islands INTEGER NOT NULL,
    sweep INTEGER NOT NULL, validation_accuracy REAL, base BLOB NOT NULL
);

-- What made the winner of it, in order: flips of the own search, or taken from the migrant that an island sent at the end of an epoch. Flips are
-- bit numbers as differences, the first from -1, each less one, in LEB128.
CREATE TABLE lineage (
    run INTEGER NOT NULL REFERENCES runs, step INTEGER NOT NULL, sweep INTEGER NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('search', 'migrant')),
    island INTEGER NOT NULL, epoch INTEGER, flipped INTEGER NOT NULL, flips BLOB NOT NULL,
    PRIMARY KEY (run, step)
) WITHOUT ROWID;

-- What each epoch of each island came to; whom it mated with as island@epoch:bits taken/bits that differed.
CREATE TABLE epochs (
    run INTEGER NOT NULL REFERENCES runs, island INTEGER NOT NULL, epoch INTEGER NOT NULL,
    mated TEXT NOT NULL, changed INTEGER NOT NULL, loss INTEGER NOT NULL, validation_accuracy REAL,
    PRIMARY KEY (run, island, epoch)
) WITHOUT ROWID;
