//! What was told, on PostgreSQL.

use tokio_postgres::types::ToSql;

use super::Postgres;
use super::columns::moment;
use crate::StoreError;
use crate::alerts::{Alert, Alerts, alert_row};

impl Alerts for Postgres {
    async fn alerts(&self) -> Result<Vec<Alert>, StoreError> {
        self.rows(include_str!("sql/alerts.sql"), &[], alert_row).await
    }

    async fn keep_alerts(&self, told: &[Alert], over: &[String]) -> Result<(), StoreError> {
        let matters: Vec<&str> = told.iter().map(|alert| alert.matter.as_str()).collect();
        let began: Vec<_> = told.iter().map(|alert| moment(alert.began)).collect();
        let told_at: Vec<_> = told.iter().map(|alert| moment(alert.told_at)).collect();
        let params: [&(dyn ToSql + Sync); 4] = [&matters, &began, &told_at, &over];
        self.rows(include_str!("sql/keep_alerts.sql"), &params, |_| ()).await.map(drop)
    }
}
