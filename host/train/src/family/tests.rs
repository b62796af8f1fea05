use super::*;
use crate::settings::{Facts, Settings};
use crate::{Session, Silent, prepare};
use evobit_data::{LoadOptions, load};

/// Every family of the table trains, answers better than chance, comes back from its model file, and repeats.
#[test]
fn every_family_learns_repeats_and_comes_back_from_its_model() {
    let loaded = load("iris", &LoadOptions::default()).unwrap();
    for family in FAMILIES {
        let kind: FamilyName = family.name().parse().unwrap();
        let settings = Settings { kind: Some(kind), sweeps: Some(12), ..Settings::default() };
        let config = settings.resolve(Facts::from(&loaded.train)).unwrap();
        let prepared = prepare(&loaded, &config).unwrap();
        let train = || crate::run(&prepared, &config, Session::default(), None, &mut Silent).unwrap();
        let outcome = train();
        assert!(outcome.best.train_accuracy > 0.8, "{kind}: {}", outcome.best.train_accuracy);
        assert_eq!(outcome.genome, train().genome, "{kind} repeats");
        let model = prepared.model(&outcome.genome).unwrap();
        let (read, _) = Model::parse(model.bytes()).unwrap();
        assert_eq!(FamilyName::of(&read), Some(kind));
        let genome = read.genome();
        let image = read.image();
        let again = kind.classifier(image.topology(), &genome).unwrap();
        let scores = prepared.classifier(&outcome.genome).unwrap().scores(&prepared.test.inputs);
        assert_eq!(again.scores(&prepared.test.inputs), scores);
    }
}

#[test]
fn marks_and_names_differ_and_unknown_names_are_answered_with_those_there_are() {
    for (index, family) in FAMILIES.iter().enumerate() {
        let others = &FAMILIES[..index];
        assert!(others.iter().all(|other| other.mark() != family.mark() && other.name() != family.name()));
    }
    let complaint = "forest".parse::<FamilyName>().unwrap_err();
    assert!(FAMILIES.iter().all(|family| complaint.contains(family.name())), "{complaint}");
}
