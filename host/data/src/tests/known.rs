//! CSV texts read by the schema of a model made earlier.

use std::fs;

use super::*;

/// A model's schema: whole numbers `a`, reals `b` and colours `c`.
fn table() -> Schema {
    let kinds = [ColumnKind::Integer, ColumnKind::Real, ColumnKind::Category(names(&["blue", "red"]))];
    let column = |(name, kind): (&str, ColumnKind)| Column::new(name, kind);
    Schema::Table(["a", "b", "c"].into_iter().zip(kinds).map(column).collect())
}

fn pixels() -> Schema {
    Schema::Image { channels: 1, height: 1, width: 2 }
}

fn options(label: Option<&str>) -> LoadOptions {
    LoadOptions { label: label.map(Into::into), ..LoadOptions::default() }
}

fn test_with(text: &str, schema: &Schema, label: Option<&str>) -> Result<Dataset, DataError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    fs::write(&path, text).unwrap();
    let classes = names(&["no", "yes"]);
    load_known(&path.to_string_lossy(), schema, &classes, &options(label)).map(|loaded| loaded.train)
}

fn predict_with(text: &str, schema: &Schema, label: Option<&str>) -> Result<Unlabelled, DataError> {
    read_unlabelled(text.as_bytes(), "standard input", schema, &names(&["no", "yes"]), &options(label))
}

fn test_on(text: &str) -> Result<Dataset, DataError> {
    test_with(text, &table(), None)
}

fn predict(text: &str) -> Result<Unlabelled, DataError> {
    predict_with(text, &table(), None)
}

/// The values of `1,2.5,red` and `-3,4,green`, the second with an unknown colour.
fn expected() -> Values {
    Values::Keys(vec![1, real_key(2.5), 1, -3, real_key(4.0), -1])
}

#[test]
fn missing_values_are_read_where_the_model_has_a_bit_for_them() {
    let schema = Schema::Table(vec![
        Column { missing: true, ..Column::new("a", ColumnKind::Integer) },
        Column::new("b", ColumnKind::Real),
        Column::new("c", ColumnKind::Category(names(&["", "red"]))),
    ]);
    let read = |text: &str| predict_with(text, &schema, None).map(|samples| samples.values);
    let expected = Values::Keys(vec![MISSING, real_key(1.0), 0, 7, real_key(2.0), 1]);
    assert_eq!(read("a,b,c\nNA,1,?\n7,2,red\n").unwrap(), expected);
    assert_fails!(read("a,b,c\nx,1,red\n"), NotANumber, "line 2, column \"a\" is \"x\"");
    let options = LoadOptions { missing: Some(Missing::Skip), ..LoadOptions::default() };
    let classes = names(&["no", "yes"]);
    let left = read_unlabelled("a,b,c\n7,,red\n8,1,red\n".as_bytes(), "input", &schema, &classes, &options);
    assert_eq!(left.unwrap().values, Values::Keys(vec![8, real_key(1.0), 1]));
}

#[test]
fn columns_are_matched_by_name() {
    for (text, label) in [
        ("a,b,c,y\n1,2.5,red,yes\n-3,4,green,no\n", None),
        ("y,c,b,a\nyes,red,2.5,1\nno,green,4,-3\n", None),
        ("extra,c,b,a,y\n0,red,2.5,1.0,yes\n0,green,4,-3,no\n", None),
        ("c,y,b,a,extra\nred,yes,2.5,1,0\ngreen,no,4,-3,\n", Some("y")),
    ] {
        let set = test_with(text, &table(), label).unwrap();
        assert_eq!((set.values, set.labels), (expected(), vec![1, 0]), "{text:?}");
        assert_eq!((set.schema, set.classes), (table(), names(&["no", "yes"])));
        assert_eq!(predict_with(text, &table(), label).unwrap().values, expected());
    }
}

#[test]
fn columns_are_matched_by_place_without_their_names() {
    for text in [
        "1,2.5,red,yes\n-3,4,green,no\n",
        "p,q,r,y\n1,2.5,red,yes\n-3,4,green,no\n",
        "a,q,c,y\n1,2.5,red,yes\n-3,4,green,no\n",
    ] {
        assert_eq!(test_on(text).unwrap().values, expected(), "{text:?}");
        assert_eq!(predict(text).unwrap().values, expected());
    }
    let first = "y,p,q,r\nyes,1,2.5,red\nno,-3,4,green\n";
    for label in ["y", "1"] {
        let set = test_with(first, &table(), Some(label)).unwrap();
        assert_eq!((set.values, set.labels), (expected(), vec![1, 0]));
    }
    // Without a header, a label's number is not looked for among the cells.
    let bare = test_with("no,1,2.5,red\nyes,-3,4,green\n", &table(), Some("1")).unwrap();
    assert_eq!((bare.values, bare.labels), (expected(), vec![0, 1]));
}

#[test]
fn prediction_needs_no_labels() {
    for text in
        ["1,2.5,red\n-3,4,green\n", "b,c,a\n2.5,red,1\n4,green,-3\n", "p,q,r\n1,2.5,red\n-3,4,green\n"]
    {
        let bare = predict(text).unwrap();
        assert_eq!((bare.samples(), bare.values), (2, expected()), "{text:?}");
        assert_fails!(test_on(text), NoLabels, "no label column next to the 3 features");
        let wanted = test_with(text, &table(), Some("y"));
        assert_fails!(wanted, UnknownLabelColumn, "no column \"y\"");
    }
    // A label that no class has is nothing to prediction.
    let other = "a,b,c,y\n1,2.5,red,z\n-3,4,green,\n";
    assert_eq!(predict(other).unwrap().values, expected());
    assert_fails!(test_on(other), UnknownClass, "line 2 has the label \"z\"");
    assert_fails!(test_on(&other.replace('z', "no")), Missing, "line 3, column \"y\"");
}

#[test]
fn a_model_of_a_text_without_header_reads_others() {
    let set = read_csv(&b"1,5,0\n2,6,1\n"[..], "a.csv", &LoadOptions::default()).unwrap();
    for text in ["1,5\n2,6\n", "1,5,0\n2,6,1\n", "p,q\n1,5\n2,6\n", "c2,c1\n5,1\n6,2\n"] {
        let bare = read_unlabelled(text.as_bytes(), "-", &set.schema, &set.classes, &options(None)).unwrap();
        assert_eq!(bare.values, set.values, "{text:?}");
    }
    let first = read_csv(&b"0,1,5\n1,2,6\n"[..], "a.csv", &options(Some("1"))).unwrap();
    assert_eq!(first.values, set.values);
    for text in ["1,5\n2,6\n", "0,1,5\n1,2,6\n"] {
        let bare = read_unlabelled(text.as_bytes(), "-", &first.schema, &first.classes, &options(Some("1")));
        assert_eq!(bare.unwrap().values, set.values, "{text:?}");
    }
}

#[test]
fn numbers_as_names_are_a_header_when_the_model_knows_them() {
    let set = read_csv(&b"0,1,label\n7,8,no\n9,8,yes\n"[..], "a.csv", &LoadOptions::default()).unwrap();
    for text in ["0,1\n7,8\n9,8\n", "1,0\n8,7\n8,9\n", "0,1,label\n7,8,no\n9,8,yes\n"] {
        let bare = read_unlabelled(text.as_bytes(), "-", &set.schema, &set.classes, &options(None)).unwrap();
        assert_eq!(bare.values, set.values, "{text:?}");
    }
}

#[test]
fn columns_that_do_not_fit_are_refused() {
    assert_fails!(test_on("a,b\n1,2\n"), MissingColumn, "lacks the model's column \"c\"");
    assert_fails!(test_on("p,q\n1,2\n"), ColumnCount, "has 2 columns, where the model reads 3");
    assert_fails!(predict("1,2,3,4,5\n"), ColumnCount, "has 5 columns");
    // By place, `a` would be read for `b`.
    assert_fails!(predict("x,a,c\n2,1,red\n"), MissingColumn, "column \"b\"");
    // As many columns as features, but one is the label.
    let lacking = predict_with("a,c,y\n1,red,no\n", &table(), Some("y"));
    assert_fails!(lacking, MissingColumn, "column \"b\"");
    assert_fails!(predict("a,b,c,a\n1,2,red,3\n"), DuplicateColumn, "two columns named \"a\"");
    assert_fails!(predict("a,b,c\n"), HeaderOnly, "no samples");
    assert_fails!(predict(""), Empty, "standard input: is empty");
}

#[test]
fn cells_must_be_of_the_kind_the_model_reads() {
    assert_fails!(predict("a,b,c\ninf,2,red\n"), NotFinite, "column \"a\"");
    assert_fails!(test_on("a,b,c,y\nnan,2,red,no\n"), Missing, "column \"a\"");
    assert_fails!(predict("a,b,c\n1,x,red\n"), NotANumber, "column \"b\" is \"x\"");
    assert_fails!(test_on("a,b,c,y\n1,2,red,no\n1,,red,no\n"), Missing, "line 3, column \"b\"");
    // Who wants answers gets one for every line.
    let answered = predict("a,b,c\n1,,red\n?,1,NA\n").unwrap();
    assert_eq!(answered.values, Values::Keys(vec![1, MISSING, 1, MISSING, real_key(1.0), -1]));
    assert_eq!(answered.notes.len(), 3, "{:?}", answered.notes);
}

#[test]
fn any_number_lies_above_the_levels_below_it() {
    let keys = |cell: &str| predict(&format!("a,b,c\n{cell},2,red\n")).unwrap().values.key(0);
    for (cell, key) in
        [("1.5", 2), ("-1.5", -1), ("1.0", 1), ("0", 0), ("1e300", i32::MAX), ("-2147483649", i32::MIN + 1)]
    {
        assert_eq!(keys(cell), key, "{cell}");
        // Of integers as levels.
        for level in -3..3 {
            assert_eq!(keys(cell) > level, cell.parse::<f64>().unwrap() > f64::from(level), "{cell} {level}");
        }
    }
}

#[test]
fn images_are_read_by_place() {
    let values = Values::Bytes(vec![1, 2, 3, 4]);
    for (text, label) in [
        ("1,2,no\n3,4,yes\n", None),
        ("p,q,y\n1,2,no\n3,4,yes\n", None),
        ("0,1,label\n1,2,no\n3,4,yes\n", None),
        ("y,p,q\nno,1,2\nyes,3,4\n", Some("y")),
    ] {
        let set = test_with(text, &pixels(), label).unwrap();
        assert_eq!((set.values, set.labels), (values.clone(), vec![0, 1]), "{text:?}");
        assert_eq!(predict_with(text, &pixels(), label).unwrap().values, values);
    }
    for text in ["1,2\n3,4\n", "p,q\n1,2\n3,4\n"] {
        assert_eq!(predict_with(text, &pixels(), None).unwrap().values, values, "{text:?}");
    }
    assert_fails!(predict_with("1,2,3,4\n", &pixels(), None), ColumnCount, "has 4 columns");
    assert_fails!(predict_with("p,q\n1,2.5\n", &pixels(), None), NotWhole, "\"2.5\"");
}
