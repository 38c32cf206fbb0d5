//! The schema's version: too old is refused with what to do, newer is fine.

use store::migrations::SchemaVersions;

use crate::harness::{StoreError, TestStore, sound};

pub(crate) async fn an_empty_database_is_told_to_be_migrated<T: TestStore>() {
    let test = T::create().await;
    let versions = test.schema_versions().await.expect("an empty database answers");
    assert_eq!(versions.database, 0);
    match versions.check() {
        Err(StoreError::Schema(text)) => assert!(text.contains("onhand migrate"), "{text}"),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn migrating_twice_changes_nothing<T: TestStore>() {
    let test = T::open().await;
    let before = test.dump().await;
    let versions = test.migrate().await.expect("migrates again");
    assert_eq!(versions.database, versions.program);
    versions.check().expect("it fits");
    assert_eq!(test.dump().await, before);
    sound(test.store()).await;
}

pub(crate) async fn a_newer_schema_is_fine<T: TestStore>() {
    let test = T::open().await;
    let SchemaVersions { program, .. } = test.schema_versions().await.expect("answers");
    let newer = test
        .sql(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             SELECT version + 1, 'of a later program', success, checksum, 0
             FROM _sqlx_migrations ORDER BY version DESC LIMIT 1",
        )
        .await;
    assert_eq!(newer, 1);
    let versions = test.schema_versions().await.expect("answers");
    assert_eq!(versions, SchemaVersions { database: program + 1, program });
    versions.check().expect("a newer schema serves an older program");
    test.migrate().await.expect("an older program leaves a newer schema as it is");
}
