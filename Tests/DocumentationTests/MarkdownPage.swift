/// A page's fenced blocks, and the comments that say how they are to be treated.
struct MarkdownPage: Sendable {
  struct Block: Sendable, Equatable {
    /// What stands behind the opening fence: `swift`, `text`, `console`.
    let language: String
    let lines: [String]
    /// The line of the page at which the block's text begins, counted from 1.
    let line: Int
    /// The text of a comment directly above the fence, if there is one.
    let note: String?
  }

  /// As it appears in messages.
  let path: String
  let blocks: [Block]

  init(path: String, text: String) {
    self.path = path
    var blocks: [Block] = []
    var note: String?
    var open: (fence: String, language: String, line: Int, lines: [String])?
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    for (index, line) in lines.enumerated() {
      let bare = line.trimmed
      if let block = open {
        if bare.hasPrefix(block.fence), bare.allSatisfy({ $0 == "`" }) {
          blocks.append(
            Block(language: block.language, lines: block.lines, line: block.line, note: note))
          (open, note) = (nil, nil)
        } else {
          open!.lines.append(line)
        }
      } else if line.hasPrefix("```") {
        let fence = String(bare.prefix { $0 == "`" })
        open = (fence, String(bare.dropFirst(fence.count)).trimmed, index + 2, [])
      } else if bare.hasPrefix("<!--"), bare.hasSuffix("-->") {
        note = String(bare.dropFirst(4).dropLast(3)).trimmed
      } else if !bare.isEmpty {
        note = nil
      }
    }
    self.blocks = blocks
  }
}

extension StringProtocol {
  var trimmed: String {
    let end = lastIndex { !$0.isWhitespace }
    guard let start = firstIndex(where: { !$0.isWhitespace }), let end else { return "" }
    return String(self[start...end])
  }
}
