/// The storage of one table: whichever its kind needs.
///
/// An enum and not an existential, so that each operation is specialised down to the storage.
@usableFromInline
enum StorageEngine<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  case set(SetStorage<Key, Value>)

  init(_ kind: TableKind<Key, Value>) {
    switch kind.shape {
    case .set: self = .set(SetStorage())
    }
  }

  func removeAll() -> (any AnyObject & Sendable)? {
    switch self {
    case .set(let rows): rows.removeAll()
    }
  }

  func beginWalk() {
    switch self {
    case .set(let rows): rows.beginWalk()
    }
  }

  func endWalk() {
    switch self {
    case .set(let rows): rows.endWalk()
    }
  }

  func end(_ step: Step) -> Key? {
    switch self {
    case .set(let rows): rows.end(step)
    }
  }

  func neighbour(of key: Key, _ step: Step) -> Key?? {
    switch self {
    case .set(let rows): rows.neighbour(of: key, step)
    }
  }
}
