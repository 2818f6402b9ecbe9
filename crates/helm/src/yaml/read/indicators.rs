//! The signs of lists and mappings: brackets, `-`, `?` and `:`.

use super::scanner::{Level, MAX_DEPTH, Result, Scanner};
use super::token::{Kind, Token};

impl<'a> Scanner<'a> {
    pub(super) fn flow_start(&mut self, kind: Kind<'a>) -> Result<()> {
        self.key_begins()?;
        self.levels.push(Level { key: None, token: self.taken + self.queue.len() });
        if self.levels.len() > MAX_DEPTH + 1 {
            return Err(self.error("the document is nested too deeply"));
        }
        self.simple_key_allowed = true;
        self.push_sign(kind, 1);
        Ok(())
    }

    pub(super) fn flow_end(&mut self, kind: Kind<'a>) -> Result<()> {
        self.no_key_here()?;
        if self.in_flow()
            && let Some(ended) = self.levels.pop()
        {
            // goyaml no longer waits for a `:` behind empty brackets: `{}: a` is no mapping.
            let keys = self.levels.iter_mut().filter_map(|level| level.key.as_mut());
            keys.filter(|key| key.token == ended.token).for_each(|key| key.awaited = false);
        }
        self.simple_key_allowed = false;
        self.push_sign(kind, 1);
        Ok(())
    }

    pub(super) fn block_entry(&mut self) -> Result<()> {
        self.open_block_here(
            Kind::BlockSequenceStart,
            "block sequence entries are not allowed in this context",
        )?;
        self.no_key_here()?;
        self.simple_key_allowed = true;
        self.push_sign(Kind::BlockEntry, 1);
        Ok(())
    }

    pub(super) fn key(&mut self) -> Result<()> {
        self.open_block_here(Kind::BlockMappingStart, "mapping keys are not allowed in this context")?;
        self.no_key_here()?;
        self.simple_key_allowed = !self.in_flow();
        self.push_sign(Kind::Key, 1);
        Ok(())
    }

    pub(super) fn value(&mut self) -> Result<()> {
        let level = self.levels.len() - 1;
        if self.may_be_key(level)?
            && let Some(key) = self.levels[level].key.take()
        {
            let token = Token { kind: Kind::Key, mark: key.mark };
            self.queue.insert(self.place(key.token), token);
            self.open_block(Kind::BlockMappingStart, key.mark, Some(key.token));
            // A key cannot follow right behind another one.
            self.simple_key_allowed = false;
        } else {
            self.open_block_here(Kind::BlockMappingStart, "mapping values are not allowed in this context")?;
            self.simple_key_allowed = !self.in_flow();
        }
        self.push_sign(Kind::Value, 1);
        Ok(())
    }
}
