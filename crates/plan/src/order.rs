//! Sorting steps, finding rings, and the longest way to the end.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::error::PlanError;
use crate::model::{Plan, Step};

/// A ring in a graph of `node -> what it needs`: the first is repeated at the end.
pub fn ring(edges: &BTreeMap<usize, Vec<usize>>) -> Option<Vec<usize>> {
    let mut done = BTreeSet::new();
    for start in edges.keys() {
        let mut path = Vec::new();
        if let Some(ring) = walk(*start, edges, &mut path, &mut done) {
            return Some(ring);
        }
    }
    None
}

fn walk(
    at: usize,
    edges: &BTreeMap<usize, Vec<usize>>,
    path: &mut Vec<usize>,
    done: &mut BTreeSet<usize>,
) -> Option<Vec<usize>> {
    if let Some(begin) = path.iter().position(|seen| *seen == at) {
        let mut ring = path[begin..].to_vec();
        ring.push(at);
        return Some(ring);
    }
    if done.contains(&at) {
        return None;
    }
    path.push(at);
    for next in edges.get(&at).into_iter().flatten() {
        if let Some(ring) = walk(*next, edges, path, done) {
            return Some(ring);
        }
    }
    path.pop();
    done.insert(at);
    None
}

/// Puts steps into an order that respects their needs, keeping the given order where it can.
///
/// # Errors
/// A ring, named by step ids; a need that no step fulfils.
pub fn sorted(steps: Vec<Step>) -> Result<Plan, PlanError> {
    let at: HashMap<&str, usize> = steps.iter().enumerate().map(|(at, s)| (s.id.as_str(), at)).collect();
    let mut edges = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        let needs = step.needs.iter().map(|need| {
            at.get(need.as_str())
                .copied()
                .ok_or_else(|| PlanError::Unmet { who: step.id.clone(), what: format!("step {need}") })
        });
        edges.insert(index, needs.collect::<Result<Vec<_>, _>>()?);
    }
    if let Some(ring) = ring(&edges) {
        return Err(PlanError::Cycle { path: ring.iter().map(|at| steps[*at].id.clone()).collect() });
    }
    let mut order = Vec::with_capacity(steps.len());
    let mut placed = vec![false; steps.len()];
    while order.len() < steps.len() {
        for index in 0..steps.len() {
            if !placed[index] && edges[&index].iter().all(|need| placed[*need]) {
                placed[index] = true;
                order.push(index);
            }
        }
    }
    let mut steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
    Ok(Plan { steps: order.into_iter().filter_map(|index| steps[index].take()).collect() })
}

/// Seconds from the start of each step to the end of the plan along the longest way.
pub fn ways_to_end(plan: &Plan) -> HashMap<String, u32> {
    let mut ways: HashMap<String, u32> = HashMap::new();
    for step in plan.steps.iter().rev() {
        let after = ways.get(&step.id).copied().unwrap_or(0);
        let own = after + step.weight;
        ways.insert(step.id.clone(), own);
        for need in &step.needs {
            let way = ways.entry(need.clone()).or_default();
            *way = (*way).max(own);
        }
    }
    ways
}
