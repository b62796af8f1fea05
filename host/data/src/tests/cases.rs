//! Tables of the kinds that people really have, each with what should come of it.

use skips::shared_case;

use super::*;

/// What is read of a table, or the error as its user sees it.
fn read(name: &str) -> Option<Result<Loaded, String>> {
    let path = shared_case(name)?;
    Some(load(&path.to_string_lossy(), &LoadOptions::default()).map_err(|error| error.to_string()))
}

#[test]
fn tables_are_read_as_their_owners_meant_them() {
    let iris = ["Iris-setosa", "Iris-versicolor", "Iris-virginica"];
    let cases: [(&str, usize, usize, &[&str], &str); 10] = [
        ("headerless_iris.csv", 120, 2, &iris, "there is no header: columns are called c1 to c3"),
        (
            "extra_class.csv",
            500,
            4,
            &["0", "1"],
            "the first line counts the columns and is taken for a header",
        ),
        ("semicolon_decimal.csv", 120, 2, &iris, "semicolons part the cells, commas stand before decimals"),
        ("semicolon_decimal_nohead.csv", 120, 2, &iris, "there is no header: columns are called c1 to c3"),
        ("label_mixed.csv", 300, 4, &["0", "1"], ""),
        ("comment.csv", 100, 2, &["a", "b"], "lines at the start that begin with # are comments"),
        ("trailingcomma.csv", 100, 2, &["a", "b"], "the last column is empty and left out"),
        ("trailingcomma_data.csv", 100, 2, &["a", "b"], "the last column is empty and left out"),
        ("huge.csv", 100, 2, &["x", "y"], ""),
        ("nulltail.csv.gz", 0, 0, &[], ""),
    ];
    for (name, samples, features, classes, note) in cases {
        let Some(read) = read(name) else { return };
        let loaded = read.unwrap_or_else(|error| panic!("{name}: {error}"));
        let set = &loaded.train;
        if samples > 0 {
            assert_eq!((set.samples(), set.features()), (samples, features), "{name}");
            assert_eq!(set.classes, names(classes), "{name}");
        }
        let Schema::Table(columns) = &set.schema else { panic!("{name}: {:?}", set.schema) };
        for column in columns {
            assert!(!matches!(column.kind, ColumnKind::Category(_)), "{name}: {column:?}");
        }
        let expected =
            note.is_empty() && loaded.notes.is_empty() || loaded.notes.iter().any(|line| line == note);
        assert!(expected, "{name}: {:?}", loaded.notes);
    }
}

#[test]
fn what_cannot_be_meant_is_one_line_that_names_it() {
    let cases: [(&str, &[&str]); 3] = [
        ("cat_twoheaders.csv", &["is the header again", "line "]),
        ("labelnan.csv", &["column \"label\" is \"nan\", a missing value"]),
        ("cutline.csv", &["the last line is cut short", "\"Iris-virgi\""]),
    ];
    for (name, words) in cases {
        let Some(read) = read(name) else { return };
        let error = read.map(|loaded| loaded.train.classes).expect_err(name);
        assert!(
            error.lines().count() == 1 && words.iter().all(|word| error.contains(word)),
            "{name}: {error}"
        );
    }
}
