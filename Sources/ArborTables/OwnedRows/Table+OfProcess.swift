package import ArborProcesses

// What a registry asks of a table whose rows have processes of their own.

extension Table {
  /// Under which keys a process may have rows: all under which it has some, in no order.
  package func ownedKeys(of pid: PID) -> [Key] { owned?.keys(of: pid) ?? [] }

  /// Deletes those values of a key that fit a condition, as one step.
  ///
  /// - Returns: the values deleted, oldest first.
  package func take(
    _ key: Key, where matches: (Value) throws -> Bool
  ) throws -> [Value] {
    while true {
      let found = try writing { $0.lookupStamped(key) }
      var taken: [Value] = []
      let rest = try found.values.filter { value in
        if try matches(value) {
          taken.append(value)
          return false
        }
        return true
      }
      if taken.isEmpty { return [] }
      if try put(rest, over: found.values, under: key, ifStamp: found.stamp) { return taken }
    }
  }
}
