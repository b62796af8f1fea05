//! CSV texts for training: kinds, labels, headers, and each way to be wrong.

use std::fs;

use super::*;

fn read(text: &str) -> Result<Dataset, DataError> {
    read_csv(text.as_bytes(), "a.csv", &LoadOptions::default())
}

fn read_label(text: &str, label: &str) -> Result<Dataset, DataError> {
    read_csv(text.as_bytes(), "a.csv", &LoadOptions { label: Some(label.into()), shape: None })
}

fn read_shape(text: &str, shape: (u16, u16, u16)) -> Result<Dataset, DataError> {
    read_csv(text.as_bytes(), "a.csv", &LoadOptions { label: None, shape: Some(shape) })
}

fn columns(set: &Dataset) -> &[Column] {
    match &set.schema {
        Schema::Table(columns) => columns,
        Schema::Image { .. } => panic!("not a table: {:?}", set.schema),
    }
}

#[test]
fn each_column_gets_its_kind() {
    let set = read("n,r,c,y\n1, 2 ,red,no\n-7,0.5,blue,yes\n+3,1e3,,no\n2147483647,-0,red,yes\n").unwrap();
    let kinds: Vec<_> = columns(&set).iter().map(|column| column.kind.clone()).collect();
    assert_eq!(
        kinds,
        [ColumnKind::Integer, ColumnKind::Real, ColumnKind::Category(names(&["", "blue", "red"]))]
    );
    let column = |feature| (0..4).map(|sample| set.key(sample, feature)).collect::<Vec<_>>();
    assert_eq!(column(0), [1, -7, 3, i32::MAX]);
    assert_eq!(column(1), [2.0, 0.5, 1000.0, 0.0].map(real_key));
    assert_eq!(column(2), [2, 1, 0, 2]);
    assert_eq!((set.classes, set.labels), (names(&["no", "yes"]), vec![0, 1, 0, 1]));
}

#[test]
fn whole_numbers_beyond_32_bits_are_reals() {
    let set = read("n,y\n2147483648,a\n1,b\n").unwrap();
    assert_eq!(columns(&set)[0].kind, ColumnKind::Real);
    assert_eq!(set.key(0, 0), real_key(2_147_483_648.0));
}

#[test]
fn classes_sort_as_numbers_or_as_names() {
    assert_eq!(read("x,y\n1,10\n1,9\n1,-1\n").unwrap().classes, names(&["-1", "9", "10"]));
    assert_eq!(read("x,y\n1,b\n1,10\n1,9\n").unwrap().classes, names(&["10", "9", "b"]));
    let binary = read("x,y\n1,1\n1,0\n").unwrap();
    assert_eq!((binary.classes, binary.labels), (names(&["0", "1"]), vec![1, 0]));
}

#[test]
fn the_label_is_found_by_name_or_number() {
    let text = "a,y,b\n1,p,2\n3,q,4\n";
    for label in ["y", "2", " y "] {
        let set = read_label(text, label).unwrap();
        assert_eq!((set.labels.as_slice(), set.key(1, 1)), (&[0, 1][..], 4));
        assert_eq!(columns(&set)[1].name, "b");
    }
    // A name goes before a number.
    assert_eq!(read_label("2,y\n5,p\n6,q\n", "2").unwrap().classes, names(&["5", "6"]));
    for label in ["z", "0", "4"] {
        assert_fails!(read_label(text, label), UnknownLabelColumn, "choose one of \"a\", \"y\", \"b\"");
    }
}

#[test]
fn a_first_line_of_numbers_is_a_sample() {
    let set = read("1,2.5,0\n3,4,1\n").unwrap();
    assert_eq!(set.samples(), 2);
    assert_eq!((columns(&set)[0].name.as_str(), columns(&set)[1].name.as_str()), ("c1", "c2"));
    assert_eq!(read_label("0,2.5\n1,4\n", "c1").unwrap().labels, [0, 1]);
    let set = read("0,1,label\n3,4,1\n5,6,0\n").unwrap();
    assert_eq!((set.samples(), columns(&set)[1].name.as_str()), (2, "1"));
}

#[test]
fn usual_ways_of_writing_csv_are_read() {
    let plain = read("a,b,y\n1,x,p\n2,z,q\n").unwrap();
    for text in [
        "\u{feff}a,b,y\n1,x,p\n2,z,q\n",
        "a,b,y\r\n1,x,p\r\n2,z,q",
        "\"a\",\"b\",\"y\"\n\"1\",\"x\",\"p\"\n\"2\",\"z\",\"q\"\n",
        "a, b, y\n1, x, p\n\n2, z, q\n\n",
    ] {
        assert_eq!(read(text).unwrap(), plain, "{text:?}");
    }
    assert_eq!(columns(&read(",b,y\n1,x,p\n2,z,q\n").unwrap())[0].name, "c1");
}

#[test]
fn a_shape_makes_images() {
    let text = "a,b,c,d,y\n0,255,3,4,p\n5,6,7,8,q\n";
    let set = read_shape(text, (1, 2, 2)).unwrap();
    assert_eq!(set.schema, Schema::Image { channels: 1, height: 2, width: 2 });
    assert_eq!(set.values, Values::Bytes(vec![0, 255, 3, 4, 5, 6, 7, 8]));
    let wide = read_shape(&text.replace("255", "-1"), (4, 1, 1)).unwrap();
    assert_eq!(wide.values, Values::Keys(vec![0, -1, 3, 4, 5, 6, 7, 8]));
    assert_fails!(read_shape(text, (1, 2, 3)), Shape, "4 features, which do not make images of 1 x 2 x 3");
    assert_fails!(read_shape(text, (0, 2, 2)), Shape, "0 x 2 x 2");
    let broken = read_shape(&text.replace("255", "2.5"), (1, 2, 2));
    assert_fails!(broken, NotWhole, "line 2, column \"b\" is \"2.5\"");
    let broken = read_shape(&text.replace("255", "x"), (1, 2, 2));
    assert_fails!(broken, NotANumber, "line 2, column \"b\" is \"x\", not a number");
    let whole = read_shape(&text.replace("255", "255.0"), (1, 2, 2)).unwrap();
    assert_eq!(whole.key(0, 1), 255);
}

#[test]
fn a_table_needs_lines_of_one_length() {
    assert_fails!(read(""), Empty, "a.csv: is empty");
    assert_fails!(read("\n\n"), Empty, "a.csv: is empty");
    assert_fails!(read("a,y\n"), HeaderOnly, "no samples");
    assert_fails!(read("a,y\n1,p\n1,q,2\n"), Ragged, "line 3 has 3 cells and the first line 2");
    assert_fails!(read("a;y\n1;p\n"), NoFeatures, "separate columns with commas");
    assert_fails!(read("a,a,y\n1,2,p\n"), DuplicateColumn, "two columns named \"a\"");
    let latin = read_csv(&b"a,y\n1,caf\xe9\n"[..], "a.csv", &LoadOptions::default());
    assert_fails!(latin, NotText, "line 2 is not UTF-8");
}

#[test]
fn numbers_must_be_there_and_finite() {
    assert_fails!(read("a,b,y\n1,2,p\n3,,q\n"), EmptyCell, "line 3, column \"b\" is empty");
    assert_fails!(read("a,b,y\n,2,p\n,3,q\n"), EmptyCell, "line 2, column \"a\" is empty");
    assert_fails!(read("a,y\n1,p\n3,\n"), EmptyCell, "line 3, column \"y\" is empty");
    for cell in ["NaN", "inf", "-Infinity", "1e39"] {
        let text = format!("a,y\n1,p\n{cell},q\n");
        assert_fails!(read(&text), NotFinite, &format!("line 3, column \"a\" is \"{cell}\""));
    }
}

#[test]
fn line_numbers_count_blank_and_quoted_lines() {
    assert_fails!(read("a,b,y\n\"1\n\",2,p\n3,,q\n"), EmptyCell, "line 4, column");
    assert_fails!(read("a,b,y\n\n1,2,p\n3,,q\n"), EmptyCell, "line 4, column");
    assert_fails!(read("a,b,y\r\n1,2,p\r\n\r\n\n3,,q\r\n"), EmptyCell, "line 5, column");
    assert_fails!(read("a,b,y\n1,2,p\n\n3,4\n"), Ragged, "line 4 has");
    assert_fails!(read("a,b,y\r1,2,p\r3,4\r"), Ragged, "line 3 has");
    let latin = read_csv(&b"a,y\r\n1,p\r\n\r\n2,caf\xe9\r\n"[..], "a.csv", &LoadOptions::default());
    assert_fails!(latin, NotText, "line 4 is not UTF-8");
}

#[test]
fn labels_must_make_2_to_256_classes() {
    assert_fails!(read("a,y\n1,p\n2,p\n"), OneClass, "has the label \"p\"");
    let many = |count: usize| {
        let lines = (0..count).map(|i| format!("1,{i}\n"));
        std::iter::once("a,y\n".to_owned()).chain(lines).collect::<String>()
    };
    assert_eq!(read(&many(256)).unwrap().classes.len(), 256);
    assert_fails!(read(&many(257)), TooManyClasses, "column \"y\" has 257 different values");
}

#[test]
fn identifiers_are_not_categories() {
    let table = |distinct: usize, rows: usize| {
        let lines = (0..rows).map(|i| format!("id{},{}\n", i % distinct, i % 2));
        std::iter::once("id,y\n".to_owned()).chain(lines).collect::<String>()
    };
    let refused = read(&table(33, 65));
    assert_fails!(refused, LikelyIdentifier, "(line 2: \"id0\") and has 33 different values in 65 lines");
    assert!(read(&table(33, 66)).is_ok());
    assert!(read(&table(32, 32)).is_ok());
}

#[test]
fn strange_cells_keep_messages_on_one_line() {
    let odd = read("a,\"b\nc\",y\n1,\"2\n\",p\n1,nan,q\n");
    assert_fails!(odd, NotFinite, "column \"b\\nc\" is \"nan\"");
    assert_fails!(read("a,y\n1,\"p\nq\"\n"), OneClass, "\"p\\nq\"");
    let long = read_label("a,y\n1,p\n", &"\n".repeat(100));
    assert_fails!(long, UnknownLabelColumn, "has no column");
}

#[test]
fn files_may_be_compressed_and_lend_their_name() {
    let folder = tempfile::tempdir().unwrap();
    let text = b"a,y\n1,p\n2,q\n";
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut encoder, text).unwrap();
    let mut sets = Vec::new();
    for (name, bytes) in [("plain.csv", text.to_vec()), ("small.csv.gz", encoder.finish().unwrap())] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let loaded = load(&path.to_string_lossy(), &LoadOptions::default()).unwrap();
        assert_eq!(loaded.name, name.split('.').next().unwrap());
        sets.push(loaded.train);
    }
    assert_eq!(sets[0], sets[1]);
}
