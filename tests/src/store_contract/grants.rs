//! Who may do what.

use domain::app::AppScope;
use ports::clock::Clock;
use ports::store::{GRANT_KEY_PREFIX, Grant, GrantText, Role, StoredGrant};

use super::engine::World;

pub(super) fn subject(world: &World) -> String {
    world.clock.fresh_id().to_string()
}

pub(super) async fn grant(world: &World, subject: &str, path: &str, role: Role) {
    world
        .store
        .put_grant(&Grant {
            subject: subject.to_owned(),
            path: path.to_owned(),
            role,
        })
        .await
        .unwrap();
}

pub(super) async fn role(world: &World, subject: &str, path: &str) -> Option<Role> {
    world
        .store
        .role(subject, &AppScope::from_canonical(path))
        .await
        .unwrap()
}

pub(super) async fn the_best_role_along_the_path_wins(world: &World) {
    let (ann, bob) = (subject(world), subject(world));
    grant(world, &ann, "/subscriptions/s1", Role::Reader).await;
    grant(
        world,
        &ann,
        "/subscriptions/s1/apps/chess",
        Role::Contributor,
    )
    .await;
    grant(
        world,
        &ann,
        "/subscriptions/s1/apps/chess/x",
        Role::Contributor,
    )
    .await;
    grant(world, &bob, "/", Role::Contributor).await;
    grant(world, &bob, "/subscriptions/s1/apps/go", Role::Reader).await;
    for (subject, path, expected) in [
        (
            &ann,
            "/subscriptions/s1/apps/chess",
            Some(Role::Contributor),
        ),
        (&ann, "/subscriptions/s1/apps/go", Some(Role::Reader)),
        (&ann, "/subscriptions/s11/apps/go", None),
        (&ann, "/subscriptions/s2/apps/chess", None),
        (&bob, "/subscriptions/s1/apps/go", Some(Role::Contributor)),
    ] {
        assert_eq!(role(world, subject, path).await, expected, "{path}");
    }
    assert_eq!(
        role(world, &subject(world), "/subscriptions/s1/apps/chess").await,
        None,
        "deny by default"
    );
}

pub(super) async fn a_grant_is_replaced_by_the_next_one(world: &World) {
    let ann = subject(world);
    grant(world, &ann, "/apps", Role::Contributor).await;
    grant(world, &ann, "/apps", Role::Reader).await;
    assert_eq!(role(world, &ann, "/apps/chess").await, Some(Role::Reader));
}

pub(super) async fn grants_are_listed_by_subject_and_taken_away_one_by_one(world: &World) {
    let (ann, bob) = (subject(world), subject(world));
    grant(world, &ann, "/subscriptions/s2", Role::Reader).await;
    grant(world, &ann, "/", Role::Contributor).await;
    grant(world, &bob, "/subscriptions/s2", Role::Reader).await;
    let key = |path: &str| format!("{GRANT_KEY_PREFIX}{path}");
    let stored = |subject: &str, path: &str, role: Role| StoredGrant {
        subject: subject.to_owned(),
        key: key(path),
        says: Ok(GrantText {
            path: path.to_owned(),
            role: role.name().to_owned(),
        }),
    };
    let anns = [
        stored(&ann, "/", Role::Contributor),
        stored(&ann, "/subscriptions/s2", Role::Reader),
    ];
    let bobs = stored(&bob, "/subscriptions/s2", Role::Reader);
    assert_eq!(world.store.grants(&ann).await.unwrap(), anns);
    let all = world.store.all_grants().await.unwrap();
    assert!(anns.iter().chain([&bobs]).all(|grant| all.contains(grant)));
    let of = |all: &[StoredGrant]| all.iter().map(|it| it.subject.clone()).collect::<Vec<_>>();
    assert!(of(&all).is_sorted(), "{all:?}");
    assert!(world.store.remove_grant(&ann, &key("/")).await.unwrap());
    assert!(!world.store.remove_grant(&ann, &key("/")).await.unwrap());
    assert_eq!(world.store.grants(&ann).await.unwrap(), anns[1..]);
    assert_eq!(role(world, &ann, "/subscriptions/s1").await, None);
    assert_eq!(world.store.grants(&bob).await.unwrap(), [bobs]);
}
