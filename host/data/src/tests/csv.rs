//! CSV texts for training: kinds, labels, headers, and each way to be wrong.

use std::fs;

use super::*;

fn read(text: &str) -> Result<Dataset, DataError> {
    read_csv(text.as_bytes(), "a.csv", &LoadOptions::default())
}

fn read_label(text: &str, label: &str) -> Result<Dataset, DataError> {
    read_csv(text.as_bytes(), "a.csv", &LoadOptions { label: Some(label.into()), ..LoadOptions::default() })
}

fn read_shape(text: &str, shape: (u16, u16, u16)) -> Result<Dataset, DataError> {
    read_csv(text.as_bytes(), "a.csv", &LoadOptions { shape: Some(shape), ..LoadOptions::default() })
}

fn read_missing(text: &str, missing: Missing) -> Result<Dataset, DataError> {
    read_csv(text.as_bytes(), "a.csv", &LoadOptions { missing: Some(missing), ..LoadOptions::default() })
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
    assert_fails!(read("y\np\n"), NoFeatures, "separate columns with commas");
    assert_fails!(read("a,a,y\n1,2,p\n"), DuplicateColumn, "two columns named \"a\"");
    let latin = read_csv(&b"a,y\n1,caf\xe9\n"[..], "a.csv", &LoadOptions::default());
    assert_fails!(latin, NotText, "line 2 is not UTF-8");
}

#[test]
fn numbers_must_be_finite_and_labels_there() {
    assert_fails!(read("a,y\n1,p\n3,\n"), MissingLabel, "line 3, column \"y\" is empty");
    for cell in ["inf", "-Infinity"] {
        let text = format!("a,y\n1,p\n{cell},q\n");
        assert_fails!(read(&text), NotFinite, &format!("line 3, column \"a\" is \"{cell}\""));
    }
}

#[test]
fn missing_values_are_kept_left_out_or_errors() {
    for mark in ["", "NaN", "nan", "NA", "n/a", "?", "-", "null", "Null"] {
        for (number, kind, key) in [("3", ColumnKind::Integer, 3), ("2.5", ColumnKind::Real, real_key(2.5))] {
            let text = format!("a,b,y\n{number},1,p\n{mark},2,q\n{number},3,q\n");
            for set in [read(&text).unwrap(), read_missing(&text, Missing::Bit).unwrap()] {
                let expected = Column { missing: true, ..Column::new("a", kind.clone()) };
                assert_eq!(columns(&set), [expected, Column::new("b", ColumnKind::Integer)], "{mark:?}");
                assert_eq!(set.values, Values::Keys(vec![key, 1, MISSING, 2, key, 3]));
            }
            let set = read_missing(&text, Missing::Skip).unwrap();
            assert!(columns(&set).iter().all(|column| !column.missing));
            assert_eq!((set.values, set.labels), (Values::Keys(vec![key, 1, key, 3]), vec![0, 1]));
            let refused = read_missing(&text, Missing::Error);
            assert_fails!(refused, Missing, "line 3, column \"a\" is ");
        }
    }
    // A column may have no values at all.
    let set = read("a,b,y\n,2,p\n,3,q\n").unwrap();
    assert_eq!(set.values, Values::Keys(vec![MISSING, 2, MISSING, 3]));
    // What is left out adds no class and no category.
    let text = "a,b,y\n1,red,p\n?,blue,r\n3,red,q\n";
    let set = read_missing(text, Missing::Skip).unwrap();
    assert_eq!((&set.classes, set.values), (&names(&["p", "q"]), Values::Keys(vec![1, 0, 3, 0])));
    assert_eq!(
        columns(&read_missing(text, Missing::Skip).unwrap())[1].kind,
        ColumnKind::Category(names(&["red"]))
    );
    assert_fails!(read_missing("a,y\n?,p\n?,q\n", Missing::Skip), HeaderOnly, "no samples");
    // The least whole number is none that is missing.
    assert_eq!(read("a,y\n-2147483648,p\n,q\n").unwrap().key(0, 0), MISSING + 1);
}

#[test]
fn what_is_said_of_missing_values() {
    let note = |text: &str, missing| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(&path, text).unwrap();
        let options = LoadOptions { missing, ..LoadOptions::default() };
        load(&path.to_string_lossy(), &options).unwrap().notes
    };
    let text = "a,b,c,y\n1,?,3,p\n,5,6,q\n7,,9,q\n1,2,3,p\n";
    let bit = ["3 values are missing, in \"a\", \"b\": a bit of each such column tells where"];
    assert_eq!(note(text, None), bit);
    assert_eq!(note(text, Some(Missing::Bit)), bit);
    let skip = ["3 values are missing, in \"a\", \"b\": 3 of 4 lines are left out"];
    assert_eq!(
        note(&text.replace("1,2,3,p", "1,2,3,p\n2,2,2,q"), Some(Missing::Skip)),
        [skip[0].replace("of 4", "of 5")]
    );
    assert!(note("a,y\n1,p\n2,q\n", None).is_empty());
}

#[test]
fn numbers_beyond_32_bits_are_the_greatest() {
    let set = read("a,y\n1e300,p\n-1e39,q\n1e-300,q\n").unwrap();
    let keys = [0, 1, 2].map(|sample| set.key(sample, 0));
    assert_eq!(keys, [f32::MAX, f32::MIN, 0.0].map(real_key));
}

#[test]
fn marks_of_missing_values_are_one_category() {
    let set = read("c,y\nred,p\n?,q\nNA,q\n,p\nnan,p\n-,q\nnull,p\n").unwrap();
    assert_eq!(columns(&set)[0].kind, ColumnKind::Category(names(&["", "red"])));
    assert_eq!((0..7).map(|sample| set.key(sample, 0)).collect::<Vec<_>>(), [1, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_few_texts_among_numbers_are_mistakes() {
    let table = |numbers: usize, texts: &[&str]| {
        let numbers = (0..numbers).map(|number| number.to_string());
        let cells = numbers.chain(texts.iter().map(|&text| text.to_owned()));
        cells.enumerate().fold("a,y\n".to_owned(), |text, (row, cell)| format!("{text}{cell},{}\n", row % 2))
    };
    assert_fails!(
        read(&table(10, &["1O"])),
        FewTexts,
        "holds numbers, but 1 of its 11 cells are not: line 12: \"1O\";"
    );
    let four = read(&table(40, &["a", "b", "c", "d"]));
    assert_fails!(four, FewTexts, "line 42: \"a\", line 43: \"b\", line 44: \"c\" and 1 more");
    assert!(read(&table(9, &["1O"])).is_ok());
    // Where the user has said what becomes of missing values, they are some.
    let set = read_missing(&table(10, &["1O"]), Missing::Bit).unwrap();
    assert_eq!((set.samples(), set.key(10, 0)), (11, MISSING));
    assert_eq!(read_missing(&table(10, &["1O"]), Missing::Skip).unwrap().samples(), 10);
    assert_fails!(read_missing(&table(10, &["1O"]), Missing::Error), FewTexts, "--missing bit or skip");
    let more = read(&table(39, &["a", "b", "c", "d"]));
    assert_fails!(more, LikelyIdentifier, "is read as text (line 41: \"a\")");
}

#[test]
fn a_header_in_the_middle_is_named() {
    assert_fails!(read("a,b,y\n1,2,p\na,b,y\n3,4,q\n"), HeaderAgain, "line 3 is the header again");
    // Of a text without a header, two lines may be equal.
    assert!(read("1,2,3\n4,5,6\n1,2,3\n").is_ok());
}

#[test]
fn one_number_is_one_class() {
    let set = read("x,y\n1,1.0\n2,0\n3,1\n4,1e0\n").unwrap();
    assert_eq!((set.classes, set.labels), (names(&["0", "1"]), vec![1, 0, 1, 1]));
    let set = read("x,y\n1,1.0\n2,0.0\n").unwrap();
    assert_eq!(set.classes, names(&["0.0", "1.0"]));
    let set = read("x,y\n1,9007199254740993\n2,9007199254740992\n").unwrap();
    assert_eq!((set.classes.len(), set.labels), (2, vec![1, 0]));
}

#[test]
fn a_missing_label_is_an_error() {
    for mark in ["nan", "NA", "?", "null"] {
        let text = format!("x,y\n1,a\n2,{mark}\n3,b\n");
        assert_fails!(read(&text), MissingLabel, &format!("line 3, column \"y\" is \"{mark}\""));
    }
    assert_eq!(read("x,y\n1,+\n2,-\n").unwrap().classes, names(&["+", "-"]));
}

#[test]
fn a_label_cut_short_is_named() {
    let cut = "x,y\n1,setosa\n2,virginica\n3,virg";
    assert_fails!(read(cut), CutLabel, "its label \"virg\" is the start of \"virginica\"");
    assert!(read(&format!("{cut}\n")).is_ok() && read(&cut.replace("3,virg", "3,setosa")).is_ok());
    assert!(read(&cut.replace("1,setosa", "1,virg")).is_ok());
}

#[test]
fn other_separators_and_decimals_are_read() {
    let plain = read("len,wid,y\n5.0,1.9,p\n-4.6,1,q\n").unwrap();
    for text in [
        "len;wid;y\n5,0;1,9;p\n-4,6;1;q\n",
        "len\twid\ty\n5.0\t1.9\tp\n-4.6\t1\tq\n",
        "len|wid|y\n5.0|1.9|p\n-4.6|1|q\n",
        "\"len\",\"wid\",\"y\"\n\"5,0\",\"1,9\",p\n\"-4,6\",1,q\n",
        "# a logger wrote this\n# unit: mm\n\nlen,wid,y\n5.0,1.9,p\n-4.6,1,q\n",
        "len,wid,y,\n5.0,1.9,p,\n-4.6,1,q,\n",
        "len,wid,y\n5.0,1.9,p,\n-4.6,1,q,\n",
    ] {
        assert_eq!(read(text).unwrap(), plain, "{text:?}");
    }
    let bare = read("5,0;1,9;p\n-4,6;1;q\n5,0;1,9;p\n").unwrap();
    assert_eq!((bare.key(1, 0), bare.labels), (plain.key(1, 0), vec![0, 1, 0]));
    // Lines are counted from the start of the file.
    let gap = read_missing("# one\n# two\na,b,y\n1,2,p\n3,,q\n", Missing::Error);
    assert_fails!(gap, Missing, "line 5, column \"b\"");
    assert_fails!(read("a,b,y,\n1,2,p,\n3,4,\n"), Ragged, "line 3 has 3 cells and the first line 4");
    // A last column with a cell somewhere is a column.
    assert_fails!(read("a,b,\n1,2,\n3,4,x\n"), MissingLabel, "line 2, column \"c3\"");
}

#[test]
fn a_first_line_whose_names_stand_below_is_a_sample() {
    let lines = "5.0,1.9,setosa\n4.6,1.8,setosa\n6.5,6.1,virginica\n";
    let set = read(lines).unwrap();
    assert_eq!((set.samples(), columns(&set)[1].name.as_str()), (3, "c2"));
    assert_eq!(read("red,yes\nblue,no\nred,no\nred,yes\n").unwrap().samples(), 4);
    // One that stands there again as a whole is a header.
    assert_fails!(read("a,y\n1,p\na,y\n"), HeaderAgain, "line 3");
    assert_eq!(read("a,b,y\n1,a,p\n2,b,q\n").unwrap().samples(), 2);
}

#[test]
fn a_first_line_that_counts_the_columns_is_a_header() {
    for text in ["0,1,2,3\n5,6,7,0\n8,9,9,1\n", "1,2,3,4\n5,6,7,0\n8,9,9,1\n"] {
        let set = read(text).unwrap();
        assert_eq!((set.samples(), set.classes.clone()), (2, names(&["0", "1"])), "{text:?}");
    }
    for text in ["1,2,3\n5,6,7\n", "0,1,2,4\n5,6,7,0\n"] {
        assert_eq!(read(text).unwrap().samples(), 2, "{text:?}");
    }
}

#[test]
fn line_numbers_count_blank_and_quoted_lines() {
    let strict = |text: &str| read_missing(text, Missing::Error);
    assert_fails!(strict("a,b,y\n\"1\n\",2,p\n3,,q\n"), Missing, "line 4, column");
    assert_fails!(strict("a,b,y\n\n1,2,p\n3,,q\n"), Missing, "line 4, column");
    assert_fails!(strict("a,b,y\r\n1,2,p\r\n\r\n\n3,,q\r\n"), Missing, "line 5, column");
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
    let odd = read_missing("a,\"b\nc\",y\n1,\"2\n\",p\n1,nan,q\n", Missing::Error);
    assert_fails!(odd, Missing, "column \"b\\nc\" is \"nan\"");
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

#[test]
fn compressed_pieces_follow_each_other_and_zeros_follow_them() {
    let piece = |text: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, text).unwrap();
        encoder.finish().unwrap()
    };
    let whole = [piece(b"a,y\n1,p\n"), piece(b""), piece(b"2,q\n")].concat();
    let read = |bytes: &[u8]| read_csv(bytes, "a.csv.gz", &LoadOptions::default());
    let plain = read(b"a,y\n1,p\n2,q\n").unwrap();
    for zeros in [0, 1, 9000] {
        assert_eq!(read(&[&whole[..], &vec![0; zeros]].concat()).unwrap(), plain, "{zeros} zeros");
    }
    assert_fails!(read(&[&whole[..], &[0, 0, 7]].concat()), Gzip, "damaged");
    assert_fails!(read(&whole[..whole.len() - 1]), Gzip, "cut short or damaged");
}
