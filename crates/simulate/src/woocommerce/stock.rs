//! What moves units at the site: statuses, refunds and edits.

use super::{Refund, WooOrder};

impl WooOrder {
    /// Pays units back, and puts them back into the site's stock or not. Once all are paid back,
    /// the order is refunded.
    pub fn refund(&mut self, restock: bool, units: &[(usize, i64)]) -> &mut Self {
        self.tick();
        for (line, units) in units {
            let most = self.refundable(*line);
            assert!(*units <= most, "line {line} has only {most} units to refund");
            let line = &mut self.lines[*line];
            line.refunded += units;
            if let (true, Some(reduced @ 1..)) = (restock, &mut line.reduced) {
                *reduced -= units;
                line.restocked += units;
            }
        }
        let units = units.iter().map(|(_, units)| units).sum();
        self.refunds.push(Refund { units, reason: "" });
        if (0..self.lines.len()).all(|line| self.refundable(line) == 0) {
            self.set_status("refunded");
        }
        self
    }

    /// Pays back everything that was not paid back yet.
    pub fn refund_all(&mut self, restock: bool) -> &mut Self {
        let all: Vec<_> = (0..self.lines.len()).map(|line| (line, self.refundable(line))).collect();
        self.refund(restock, &all)
    }

    /// Somebody sets the status, and the site pays back the rest of the money, but no units.
    pub fn refund_by_status(&mut self) -> &mut Self {
        self.change_status("refunded");
        self.refunds.push(Refund { units: 0, reason: "Order fully refunded." });
        self
    }

    /// Somebody edits the order; 0 takes the line out. The site adjusts its stock only while the
    /// order holds some.
    pub fn edit(&mut self, line: usize, quantity: i64) -> &mut Self {
        self.tick();
        let adjusts =
            quantity == 0 || ["on-hold", "processing", "completed"].contains(&self.status());
        let line = &mut self.lines[line];
        assert!(!line.removed && quantity >= line.refunded, "refunded units cannot be edited away");
        (line.quantity, line.removed) = (quantity, quantity == 0);
        if adjusts && line.managed && line.reduced.unwrap_or(0) != quantity - line.restocked {
            line.reduced = Some(quantity - line.restocked);
            self.stock_reduced = true;
        }
        self
    }

    pub(super) fn set_status(&mut self, status: &str) {
        if self.status == status {
            return;
        }
        status.clone_into(&mut self.status);
        match status {
            "on-hold" | "processing" | "completed" => self.take_stock(),
            "pending" | "cancelled" => self.put_stock_back(),
            _ => {}
        }
        if matches!(status, "processing" | "completed") {
            self.paid_at.get_or_insert(self.modified_at);
        }
        if status == "completed" {
            self.completed_at = Some(self.modified_at);
        }
    }

    fn take_stock(&mut self) {
        if std::mem::replace(&mut self.stock_reduced, true) {
            return;
        }
        for line in self.lines.iter_mut().filter(|line| line.managed && !line.removed) {
            if line.reduced.unwrap_or(0) == 0 {
                line.reduced = Some(line.quantity);
            }
        }
    }

    fn put_stock_back(&mut self) {
        if !std::mem::take(&mut self.stock_reduced) {
            return;
        }
        for line in self.lines.iter_mut().filter(|line| line.managed) {
            if line.reduced.unwrap_or(0) != 0 {
                line.reduced = None;
            }
        }
    }
}
