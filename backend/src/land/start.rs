//! Where each partition is read on, or why it cannot be.

use thiserror::Error;

/// What Kafka no longer has, or never had.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Gap {
    /// Records were deleted before they landed.
    #[error(
        "records {from} to {to} of partition {partition} of topic `{topic}` are gone from Kafka and never landed: it keeps \
         records for a shorter time than landing stood still\n\
         hint: `shoptrail land --skip-gone` goes on with the oldest record there is"
    )]
    Gone {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The first offset that is missing.
        from: i64,
        /// The last.
        to: i64,
    },
    /// The partition ends before what has landed of it.
    #[error(
        "partition {partition} of topic `{topic}` ends at offset {end}, and offset {landed} has landed: the topic was deleted \
         and made again\n\
         hint: `shoptrail land --generation {next}` lands it as another one, from its beginning"
    )]
    MadeAgain {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The offset of its next record.
        end: i64,
        /// The last landed offset.
        landed: i64,
        /// The generation that the topic is now.
        next: u32,
    },
}

/// A partition as Kafka has it, and what has landed of it.
pub(super) struct Partition<'a> {
    pub(super) topic: &'a str,
    pub(super) generation: u32,
    pub(super) number: i32,
    /// The offset of its oldest record.
    pub(super) low: i64,
    /// The offset of its next record.
    pub(super) high: i64,
    /// The last landed offset.
    pub(super) landed: Option<i64>,
}

impl Partition<'_> {
    /// The offset to read on from.
    ///
    /// # Errors
    /// Returns a [`Gap`] if that is not there.
    pub(super) fn start(&self) -> Result<i64, Gap> {
        let Some(landed) = self.landed else {
            return Ok(self.low);
        };
        let next = landed.saturating_add(1);
        if next > self.high {
            return Err(Gap::MadeAgain {
                topic: self.topic.to_owned(),
                partition: self.number,
                end: self.high,
                landed,
                next: self.generation + 1,
            });
        }
        if next < self.low {
            return Err(Gap::Gone {
                topic: self.topic.to_owned(),
                partition: self.number,
                from: next,
                to: self.low - 1,
            });
        }
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(low: i64, high: i64, landed: Option<i64>) -> Result<i64, String> {
        let partition = Partition {
            topic: "topic",
            generation: 2,
            number: 7,
            low,
            high,
            landed,
        };
        partition.start().map_err(|gap| gap.to_string())
    }

    #[test]
    fn partition_is_read_on_after_what_has_landed() {
        assert_eq!(start(3, 9, None), Ok(3));
        assert_eq!(start(3, 9, Some(2)), Ok(3));
        assert_eq!(start(3, 9, Some(8)), Ok(9));
    }

    #[test]
    fn records_gone_before_they_landed_are_named_with_a_way_on() {
        let gap = start(10, 20, Some(4)).unwrap_err();
        assert!(gap.starts_with("records 5 to 9 of partition 7 of topic `topic` are gone"));
        assert!(gap.contains("\nhint: `shoptrail land --skip-gone`"));
    }

    #[test]
    fn topic_made_again_is_named_with_a_way_on() {
        let gap = start(0, 4, Some(4)).unwrap_err();
        assert!(
            gap.contains("ends at offset 4, and offset 4 has landed"),
            "{gap}"
        );
        assert!(
            gap.contains("\nhint: `shoptrail land --generation 3`"),
            "{gap}"
        );
    }
}
