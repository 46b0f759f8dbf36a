#include "io/events/event_reader.h"

#include <cerrno>
#include <string_view>
#include <utility>

#include "io/record/record.h"
#include "platform/file.h"

namespace weir::io {

platform::FileStatus read_events(const std::string& path, std::vector<proto::Event>* events) {
  events->clear();
  std::string file;
  if (auto status = platform::read_file(path, &file); !status.ok()) return status;
  RecordReader reader(file);
  for (std::string_view record; reader.next(&record);) {
    proto::Event event;
    if (!event.ParseFromArray(record.data(), static_cast<int>(record.size()))) {
      return platform::file_error("read", path, EBADMSG, "a record is not an event");
    }
    events->push_back(std::move(event));
  }
  if (reader.status().code() == Code::data_loss) {
    return platform::file_error("read", path, EBADMSG, reader.status().message());
  }
  return {};
}

}  // namespace weir::io
